"""
Owns loading seeded rows into an empty schema, by COPY, in one transaction.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import psycopg
from psycopg import sql

from knowledge.dsn import parse_dsn
from knowledge.passwords import hash_password
from knowledge.refusal import EXIT_UNAVAILABLE, Refusal
from knowledge.seed import discussion, library, people, trail, work
from knowledge.seed.profile import PROFILES
from knowledge.seed.world import Row, World
from knowledge.settings import Settings

__all__ = ["apply_seed"]

SETTING = "KB_OWNER_DATABASE_URL"


@dataclass(frozen=True, slots=True)
class Load:
    """
    A table: its columns, and what makes its rows in their order.
    """

    columns: str
    make_rows: Callable[[World], Iterator[Row]]


# In the order of the foreign keys.
LOADS = {
    "tenants": Load("id name slug plan status settings created_at updated_at", people.make_tenants),
    "users": Load("id tenant_id email full_name password_hash role created_at updated_at", people.make_users),
    "api_keys": Load("id user_id name secret_hash revoked_at created_at updated_at", people.make_api_keys),
    "knowledge_bases": Load("id owner_id name description created_at updated_at", library.make_knowledge_bases),
    "documents": Load("id knowledge_base_id title body metadata created_at updated_at", library.make_documents),
    "uploads": Load(
        "id uploaded_by document_id filename content_type size_bytes content created_at updated_at",
        library.make_uploads,
    ),
    "threads": Load("id knowledge_base_id author_id title status created_at updated_at", discussion.make_threads),
    "posts": Load("id thread_id author_id body created_at updated_at", discussion.make_posts),
    "workflows": Load("id owner_id name steps created_at updated_at", work.make_workflows),
    "workflow_runs": Load("id workflow_id status input output created_at updated_at", work.make_workflow_runs),
    "ai_usage": Load("id user_id month requests tokens cost_microusd created_at updated_at", work.make_ai_usage),
    "invoices": Load("id billed_to number description amount_cents created_at updated_at", work.make_invoices),
    "audit_log": Load("id actor_id action subject details created_at", trail.make_audit_log),
    "events": Load("id user_id kind label payload occurred_at", trail.make_events),
}


def _copy(cursor: psycopg.Cursor, table: str, load: Load, world: World) -> int:
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, load.columns.split()))
    )
    count = 0
    with cursor.copy(statement) as copy:
        for row in load.make_rows(world):
            copy.write_row(row)
            count += 1
    # Ids and numbers were given, so the sequences have to be told where they end (PostgreSQL manual, section 9.17).
    for column in {"id", "number"} & set(load.columns.split()):
        cursor.execute("SELECT setval(pg_get_serial_sequence(%s, %s), %s)", (table, column, count))
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
    world = World(PROFILES[profile], seed, hash_password(password, salt=salt))
    try:
        connection = psycopg.connect("", **parse_dsn(settings.migration_dsn, setting=SETTING))  # type: ignore[arg-type]
    except psycopg.OperationalError as error:
        reason = str(error).strip().splitlines()[0]
        raise Refusal(SETTING, f"cannot be used: {reason}", exit_code=EXIT_UNAVAILABLE) from None
    with connection, connection.cursor() as cursor:
        _refuse_unfit(cursor)
        counts = {table: _copy(cursor, table, load, world) for table, load in LOADS.items()}
        cursor.execute(sql.SQL("ANALYZE {}").format(sql.SQL(", ").join(map(sql.Identifier, LOADS))))
        cursor.execute("REFRESH MATERIALIZED VIEW tenant_stats")
    return counts
