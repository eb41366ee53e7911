"""
Owns the proof that a migration loses and changes no row: a digest of each table as found, taken before the first step.

It stands in the database itself, in schema playbook, so that it goes along with every copy.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from playbook.tenancy.relations import TABLES, identifier

__all__ = ["Baseline", "read_baseline", "read_digest", "take_baseline"]

Connection = psycopg.Connection[tuple[Any, ...]]

TABLE = """
CREATE TABLE playbook.baseline (
    relation text PRIMARY KEY, columns text[] NOT NULL, rows bigint NOT NULL, digest text NOT NULL
)
"""
COLUMNS = """
SELECT attname::text FROM pg_attribute
 WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum
"""
# The text of a value depends on these, so both digests are taken under the same.
FIXED = """
SET LOCAL timezone = 'UTC'; SET LOCAL datestyle = 'ISO, YMD'; SET LOCAL intervalstyle = 'iso_8601';
SET LOCAL extra_float_digits = 1; SET LOCAL bytea_output = 'hex'; SET LOCAL row_security = off
"""


@dataclass(frozen=True, slots=True)
class Baseline:
    """
    One table as found: its columns then, how many rows, and their digest.
    """

    relation: str
    columns: tuple[str, ...]
    rows: int
    digest: str


def take_baseline(conn: Connection) -> None:
    """
    Store the digest of every table, unless that was done before. Writes to schema playbook only.
    """
    with conn.transaction():
        if _exists(conn):
            return
        conn.execute(FIXED)
        conn.execute(TABLE)
        for (relation,) in conn.execute(TABLES).fetchall():
            regclass = identifier(str(relation)).as_string(None)
            columns = tuple(str(name) for (name,) in conn.execute(COLUMNS, (regclass,)).fetchall())
            rows, digest = _digest(conn, str(relation), columns)
            conn.execute(
                "INSERT INTO playbook.baseline VALUES (%s, %s, %s, %s)", (relation, list(columns), rows, digest)
            )


def read_baseline(conn: Connection) -> dict[str, Baseline]:
    """
    Read what was stored, by relation; empty when nothing was. Read-only.
    """
    if not _exists(conn):
        return {}
    rows = conn.execute("SELECT relation, columns, rows, digest FROM playbook.baseline").fetchall()
    return {str(r[0]): Baseline(str(r[0]), tuple(r[1]), int(r[2]), str(r[3])) for r in rows}


def read_digest(conn: Connection, relation: str, columns: tuple[str, ...]) -> tuple[int, str]:
    """
    Count the rows and digest these columns of them, in one pass. Read-only.
    """
    with conn.transaction():
        conn.execute(FIXED)
        return _digest(conn, relation, columns)


def _digest(conn: Connection, relation: str, columns: tuple[str, ...]) -> tuple[int, str]:
    # A sum, for it sees a doubled row, which an exclusive or does not; two seeds against chance.
    query = sql.SQL(
        "SELECT count(*), coalesce(sum(hashtextextended(ROW({columns})::text, 0)::numeric), 0)::text || '/' ||"
        " coalesce(sum(hashtextextended(ROW({columns})::text, 20)::numeric), 0)::text FROM {relation}"
    ).format(columns=sql.SQL(", ").join(map(sql.Identifier, columns)), relation=identifier(relation))
    row = conn.execute(query).fetchone()
    assert row is not None
    return int(row[0]), str(row[1])


def _exists(conn: Connection) -> bool:
    row = conn.execute("SELECT to_regclass('playbook.baseline') IS NOT NULL").fetchone()
    return row is not None and row[0] is True
