"""
Owns the proof that a migration loses and changes no row: a digest of each table as found, taken before the first step.

It stands in the database itself, in schema playbook, so that it goes along with every copy.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import psycopg
from psycopg import sql

from playbook.tenancy.relations import TABLES, identifier

__all__ = ["Baseline", "Digest", "read_baseline", "read_digest", "take_baseline"]

Connection = psycopg.Connection[tuple[Any, ...]]

TABLE = """
CREATE TABLE playbook.baseline (
    relation text PRIMARY KEY, columns text[] NOT NULL, rows bigint NOT NULL, digest text NOT NULL,
    counter text, last bigint
)
"""
COLUMNS = """
SELECT attname::text FROM pg_attribute
 WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum
"""
# Of a key of one number, which a sequence counts up: what is above the highest came later.
COUNTER = """
SELECT min(a.attname)::text FROM pg_index i
  JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
 WHERE i.indrelid = %s::regclass AND i.indisprimary AND a.atttypid IN ('bigint'::regtype, 'integer'::regtype)
HAVING count(*) = 1
"""
# Two sums of hashes, against the chance that one stays the same; by partition, so that each row is read once.
DIGEST = """
SELECT {part} AS part, count(*), sum(hashtextextended(row, 0)::numeric), sum(hashtextextended(row, 20)::numeric)
  FROM (SELECT ROW({columns})::text AS row, {place} FROM {relation} t WHERE {old}) AS read
 GROUP BY 1
"""
NAME = """(SELECT n.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE c.oid = read.place)"""
SETTINGS = {
    "TimeZone": "UTC",
    "DateStyle": "ISO, YMD",
    "IntervalStyle": "postgres",
    "extra_float_digits": "3",
    "bytea_output": "hex",
    "row_security": "off",
}
"""What changes the text of a row; and an error instead of a short answer (FACTS, 7)."""


@dataclass(frozen=True, slots=True)
class Baseline:
    """
    One table as found: its columns then, how many rows, their digest, and the highest value of a key that counts.
    """

    relation: str
    columns: tuple[str, ...]
    rows: int
    digest: str
    counter: str | None = None
    last: int | None = None

    @property
    def upto(self) -> tuple[str, int] | None:
        """The key column and its highest value then, where it counts: later rows are not asked about."""
        return (self.counter, self.last) if self.counter is not None and self.last is not None else None


@dataclass(frozen=True, slots=True)
class Digest:
    """
    How many rows there are and the two sums of their hashes. Digests of parts add up to that of the whole.
    """

    rows: int = 0
    sums: tuple[Decimal, Decimal] = (Decimal(0), Decimal(0))

    def __add__(self, other: Digest) -> Digest:
        return Digest(self.rows + other.rows, (self.sums[0] + other.sums[0], self.sums[1] + other.sums[1]))

    def __str__(self) -> str:
        return "/".join(format(one, "f") for one in self.sums)


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
            digest = sum(read_digest(conn, str(relation), columns).values(), Digest())
            counter, last = _read_last(conn, str(relation))
            conn.execute(
                "INSERT INTO playbook.baseline VALUES (%s, %s, %s, %s, %s, %s)",
                (relation, list(columns), digest.rows, str(digest), counter, last),
            )


def read_baseline(conn: Connection) -> dict[str, Baseline]:
    """
    Read what was stored, by relation; empty when nothing was. Read-only.
    """
    if not _exists(conn):
        return {}
    rows = conn.execute("SELECT relation, columns, rows, digest, counter, last FROM playbook.baseline").fetchall()
    return {str(r[0]): Baseline(str(r[0]), tuple(r[1]), int(r[2]), str(r[3]), r[4], r[5]) for r in rows}


def read_digest(
    conn: Connection,
    relation: str,
    columns: Sequence[str],
    *,
    upto: tuple[str, int] | None = None,
    came_from: bool = False,
) -> Mapping[str, Digest]:
    """
    Digest these columns of a table's rows, by the partition that each stands in. Read-only.

    `upto` leaves out the rows whose key is above a value: they came later. A quarantine's rows go by the partition
    that they came from (`came_from`). Raises psycopg errors when a column
    is gone.
    """
    query = sql.SQL(DIGEST).format(
        part=sql.SQL("read.place" if came_from else NAME),
        place=sql.SQL("t.came_from AS place" if came_from else "t.tableoid AS place"),
        columns=sql.SQL(", ").join(sql.Identifier("t", name) for name in columns),
        relation=identifier(relation),
        old=sql.SQL("t.{} <= {}").format(sql.Identifier(upto[0]), sql.Literal(upto[1])) if upto else sql.SQL("true"),
    )
    with conn.transaction(force_rollback=True):
        for name, value in SETTINGS.items():
            conn.execute("SELECT set_config(%s, %s, true)", (name, value))
        rows = conn.execute(query).fetchall()
    return {str(part): Digest(int(count), (first, second)) for part, count, first, second in rows}


def _read_last(conn: Connection, relation: str) -> tuple[str | None, int | None]:
    row = conn.execute(COUNTER, (identifier(relation).as_string(None),)).fetchone()
    if row is None:
        return None, None
    query = sql.SQL("SELECT max({}) FROM {}").format(sql.Identifier(str(row[0])), identifier(relation))
    last = conn.execute(query).fetchone()
    return str(row[0]), None if last is None or last[0] is None else int(last[0])


def _exists(conn: Connection) -> bool:
    row = conn.execute("SELECT to_regclass('playbook.baseline') IS NOT NULL").fetchone()
    return row is not None and row[0] is True
