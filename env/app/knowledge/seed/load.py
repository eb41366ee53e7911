"""
Owns loading seeded rows into an empty schema, by COPY, in one transaction.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping

import psycopg
from psycopg import sql

from knowledge.engine import parse_dsn
from knowledge.passwords import hash_password
from knowledge.refusal import EXIT_UNAVAILABLE, Refusal
from knowledge.seed.profile import PROFILES
from knowledge.seed.rows import Row, Rows
from knowledge.settings import Settings

__all__ = ["apply_seed"]

SETTING = "KB_OWNER_DATABASE_URL"
TIMES = ("created_at", "updated_at")
COLUMNS = {
    "tenants": ("id", "name", "slug", "plan", "status", "settings", *TIMES),
    "users": ("id", "tenant_id", "email", "full_name", "password_hash", "role", *TIMES),
    "knowledge_bases": ("id", "owner_id", "name", "description", *TIMES),
    "documents": ("id", "knowledge_base_id", "title", "body", "metadata", *TIMES),
}


def _copy(cursor: psycopg.Cursor, table: str, rows: Iterator[Row]) -> int:
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, COLUMNS[table]))
    )
    count = 0
    with cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(row)
            count += 1
    # Ids were given, so the sequence has to be told where they end (PostgreSQL manual, section 9.17).
    cursor.execute("SELECT setval(pg_get_serial_sequence(%s, 'id'), %s)", (table, count))
    return count


def _refuse_unfit(cursor: psycopg.Cursor) -> None:
    try:
        cursor.execute("SELECT EXISTS (SELECT FROM tenants)")
    except psycopg.errors.UndefinedTable:
        raise Refusal(SETTING, "the schema is missing; run `python -m knowledge migrate` first") from None
    if cursor.fetchone() != (False,):
        raise Refusal(SETTING, "the database already holds tenants; seeding wants an empty schema")


def apply_seed(settings: Settings, *, profile: str, seed: int, password: str) -> Mapping[str, int]:
    """
    Load a profile's rows; give the count of each table. All users share one hash of the password, made once.

    Raises Refusal when the database cannot be reached, lacks the schema or already holds tenants.
    """
    salt = hashlib.sha256(f"{seed}/salt".encode()).digest()[:16]
    rows = Rows(PROFILES[profile], seed, hash_password(password, salt=salt))
    try:
        connection = psycopg.connect("", **parse_dsn(settings.migration_dsn, setting=SETTING))  # type: ignore[arg-type]
    except psycopg.OperationalError as error:
        reason = str(error).strip().splitlines()[0]
        raise Refusal(SETTING, f"cannot be used: {reason}", exit_code=EXIT_UNAVAILABLE) from None
    with connection, connection.cursor() as cursor:
        _refuse_unfit(cursor)
        counts = {table: _copy(cursor, table, getattr(rows, table)()) for table in COLUMNS}
        cursor.execute("ANALYZE tenants, users, knowledge_bases, documents")
    return counts
