"""
Owns the digest of a table's rows: a count and a sum of hashes, independent of their order, sensitive to duplicates.

`sum(hashtextextended(row::text, seed)::numeric)` in one pass without memory for rows (FACTS §7; bit_xor would
cancel duplicates). It finds loss and change; against someone who forges rows it is no protection.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from psycopg import Connection, sql
from psycopg.rows import tuple_row

__all__ = ["Grouping", "TableDigest", "digest_groups", "digest_tables", "fixed_spelling", "list_columns"]

_SETTINGS = {
    "TimeZone": "UTC",
    "DateStyle": "ISO, YMD",
    "IntervalStyle": "postgres",
    "extra_float_digits": "3",
    "bytea_output": "hex",
    "row_security": "off",  # an error instead of a short answer
}

_COLUMNS = """
SELECT
    format('%I.%I', n.nspname, c.relname), n.nspname::text, c.relname::text,
    array_agg(a.attname::text ORDER BY a.attname)
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition
  AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'playbook') AND n.nspname !~ '^pg_(toast|temp)'
GROUP BY 1, 2, 3
ORDER BY 1
"""


@dataclass(frozen=True, slots=True)
class TableDigest:
    """
    How many rows, and the sum of their hashes (a decimal number, as text).
    """

    count: int
    sum: str


@dataclass(frozen=True, slots=True)
class Grouping:
    """
    Which columns of a table count, and whose each row is: an expression over the alias `t` and the joins it needs.

    `owner` None: the rows are nobody's in particular, and stand in one group.
    """

    columns: tuple[str, ...]
    owner: sql.Composable | None = None
    joins: sql.Composable | None = None


@contextmanager
def fixed_spelling(connection: Connection[Any]) -> Iterator[None]:
    """
    Let every value be spelled the same on any server, and hidden rows be an error, inside the block; then as before.
    """
    with connection.transaction(force_rollback=True):
        for name, value in _SETTINGS.items():
            connection.execute("SELECT set_config(%s, %s, true)", (name, value))
        yield


def digest_groups(
    connection: Connection[Any], table: str, grouping: Grouping, *, seed: int = 0
) -> Mapping[str, TableDigest]:
    """
    Digest one table in one pass, apart by owner ("" for nobody's); call it inside `fixed_spelling`. Read-only.

    Memory grows with the owners, not with the rows. Raises psycopg errors when the table or a column is gone.
    """
    fields = sql.SQL(", ").join(sql.Identifier("t", name) for name in grouping.columns)
    query = sql.SQL(
        "SELECT {owner}, count(*), coalesce(sum(hashtextextended(ROW({fields})::text, %s)::numeric), 0)"
        " FROM {table} AS t {joins} GROUP BY 1"
    ).format(
        owner=sql.SQL("''") if grouping.owner is None else sql.SQL("coalesce({}::text, '')").format(grouping.owner),
        fields=fields,
        table=sql.Identifier(*_split(table)),
        joins=grouping.joins or sql.SQL(""),
    )
    with connection.cursor(row_factory=tuple_row) as cursor:
        return {str(row[0]): TableDigest(int(row[1]), str(Decimal(row[2]))) for row in cursor.execute(query, (seed,))}


def list_columns(connection: Connection[Any]) -> Mapping[str, tuple[str, ...]]:
    """
    List the columns of every table that is not the system's or our own, by name; partitions in their parent. Read-only.
    """
    with connection.cursor(row_factory=tuple_row) as cursor:
        return {row[0]: tuple(row[3]) for row in cursor.execute(_COLUMNS)}


def digest_tables(
    connection: Connection[Any], *, columns: Mapping[str, Sequence[str]] | None = None, seed: int = 0
) -> Mapping[str, TableDigest]:
    """
    Digest tables over named columns: all of them, or those of `columns` (`public.t` → names). Read-only.

    Give the columns of before to compare a table that has gained some. Raises psycopg errors when the role cannot
    see all rows, or a table or column is gone.
    """
    with fixed_spelling(connection), connection.cursor(row_factory=tuple_row) as cursor:
        tables = {row[0]: (row[1], row[2], row[3]) for row in cursor.execute(_COLUMNS)}
        wanted = {name: list(row[2]) for name, row in tables.items()} if columns is None else columns
        found = {}
        for name, chosen in wanted.items():
            schema, table = tables[name][:2] if name in tables else _split(name)
            cursor.execute(_query(schema, table, chosen), (seed,))
            count, total = cursor.fetchone() or (0, None)
            found[name] = TableDigest(int(count), str(Decimal(total or 0)))
        return found


def _query(schema: str, table: str, columns: Sequence[str]) -> sql.Composed:
    fields = sql.SQL(", ").join(sql.Identifier("t", name) for name in columns)
    return sql.SQL("SELECT count(*), sum(hashtextextended(ROW({})::text, %s)::numeric) FROM {} AS t").format(
        fields, sql.Identifier(schema, table)
    )


def _split(name: str) -> tuple[str, str]:
    schema, _, table = name.partition(".")
    return schema.strip('"'), table.strip('"')
