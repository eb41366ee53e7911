"""
Owns the proof that a migration loses and changes no row: a digest of each table as found, taken before the first step.

It stands in the database itself, in schema playbook, so that it goes along with every copy.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import psycopg

from playbook.postgres.digest import digest_tables
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
SEEDS = (0, 20)
"""Two sums of hashes, against the chance that one stays the same."""


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
        conn.execute(TABLE)
        for (relation,) in conn.execute(TABLES).fetchall():
            regclass = identifier(str(relation)).as_string(None)
            columns = tuple(str(name) for (name,) in conn.execute(COLUMNS, (regclass,)).fetchall())
            rows, digest = read_digest(conn, str(relation), columns)
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
    Count the rows and digest these columns of them. Read-only.

    Raises psycopg errors when a column is gone.
    """
    found = [digest_tables(conn, columns={relation: columns}, seed=seed)[relation] for seed in SEEDS]
    return found[0].count, "/".join(one.sum for one in found)


def _exists(conn: Connection) -> bool:
    row = conn.execute("SELECT to_regclass('playbook.baseline') IS NOT NULL").fetchone()
    return row is not None and row[0] is True
