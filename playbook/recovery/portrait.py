"""
Owns the portrait of a database: all that two copies must have in common, read in one transaction. It never writes.

Rows stand in it by count and digest, apart by table and tenant (FACTS §7).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import psycopg
from psycopg import Connection, sql

from playbook.postgres.catalog import Catalog, read_catalog
from playbook.postgres.digest import Grouping, TableDigest, digest_groups, fixed_spelling, list_columns
from playbook.target.target import Tenancy
from playbook.tenancy.truth import NoPathError, Ownership, read_ownership

__all__ = ["Described", "Portrait", "Position", "read_groupings", "read_portrait"]

_QUERIES = files("playbook.recovery") / "sql"


@dataclass(frozen=True, slots=True)
class Described:
    """
    One thing that the catalogue's snapshot does not know: an extension, a comment, a large object.
    """

    kind: str
    name: str
    definition: str


@dataclass(frozen=True, slots=True)
class Position:
    """
    Where a sequence stands: its next value is greater than `last`; `largest` is the greatest value in its column.
    """

    last: int
    largest: int | None


@dataclass(frozen=True, slots=True)
class Portrait:
    """
    One database. `unread` says of which tables the rows could not be read, and why.
    """

    rows: Mapping[str, Mapping[str, TableDigest]]
    unread: Mapping[str, str]
    sequences: Mapping[str, Position]
    catalog: Catalog
    objects: tuple[Described, ...]
    database: tuple[Described, ...]
    groupings: Mapping[str, Grouping]
    bytes: int

    @property
    def count(self) -> int:
        """Rows in all."""
        return sum(one.count for table in self.rows.values() for one in table.values())

    @property
    def schemas(self) -> frozenset[str]:
        """The schemas that have tables."""
        return frozenset(table.partition(".")[0].strip('"') for table in self.rows)

    @property
    def largest_table(self) -> str:
        """The table with most rows of tenants, by itself: one in parts has none of its own."""
        whole = {one.name for one in self.catalog.relations if one.kind == "table"}
        sizes = {
            table: sum(one.count for owner, one in groups.items() if owner)
            for table, groups in self.rows.items()
            if table in whole
        }
        return max(sizes, key=lambda table: sizes[table], default="")

    @property
    def largest_owner(self) -> str:
        """The tenant with most rows, as text; empty when there is none."""
        sizes: dict[str, int] = {}
        for groups in self.rows.values():
            for owner, one in groups.items():
                sizes[owner] = sizes.get(owner, 0) + one.count
        return max((owner for owner in sizes if owner), key=lambda owner: sizes[owner], default="")


def read_groupings(connection: Connection[Any], tenancy: Tenancy | None) -> Mapping[str, Grouping]:
    """
    Find, for each table, its columns and whose a row is: by the tenant's key, else by the declared path. Read-only.
    """
    columns = list_columns(connection)
    return {table: _grouping(connection, tenancy, table, names) for table, names in columns.items()}


def read_portrait(connection: Connection[Any], groupings: Mapping[str, Grouping]) -> Portrait:
    """
    Read it all as superuser, inside the transaction that is open or in one of its own. Read-only.

    With the groupings of the source, a table that has gained a column is still compared by what it had. A table that
    cannot be read is noted, not raised.
    """
    rows: dict[str, Mapping[str, TableDigest]] = {}
    unread: dict[str, str] = {}
    with connection.transaction():
        with fixed_spelling(connection):
            for table, grouping in groupings.items():
                try:
                    with connection.transaction():
                        rows[table] = digest_groups(connection, table, grouping)
                except psycopg.Error as error:
                    unread[table] = str(error).strip().splitlines()[0]
        for extra in sorted(set(list_columns(connection)) - set(groupings)):
            unread[extra] = "the source has no such table"
        size = connection.execute("SELECT pg_database_size(current_database())").fetchone()
        return Portrait(
            rows=rows,
            unread=unread,
            sequences=_positions(connection),
            catalog=read_catalog(connection),
            objects=_described(connection, "objects"),
            database=_described(connection, "database"),
            groupings=groupings,
            bytes=int(size[0]) if size else 0,
        )


def _grouping(connection: Connection[Any], tenancy: Tenancy | None, table: str, columns: tuple[str, ...]) -> Grouping:
    if tenancy is None:
        return Grouping(columns)
    declared = tenancy.tables.get(table)
    if declared is not None and declared.kind == "shared":
        return Grouping(columns)
    if table != tenancy.root and tenancy.key in columns:
        return Grouping(columns, sql.Identifier("t", tenancy.key))
    try:
        return _along(read_ownership(connection, tenancy, table), columns)
    except (NoPathError, psycopg.errors.UndefinedTable):
        return Grouping(columns)


def _along(owned: Ownership, columns: tuple[str, ...]) -> Grouping:
    joins, at = [], "t"
    for number, hop in enumerate(owned.hops):
        after = f"o{number}"
        joins.append(
            sql.SQL("LEFT JOIN {parent} AS {after} ON {left} = {right}").format(
                parent=sql.Identifier(*hop.parent.split(".", 1)),
                after=sql.Identifier(after),
                left=sql.Identifier(after, hop.parent_column),
                right=sql.Identifier(at, hop.column),
            )
        )
        at = after
    last = owned.hops[-1].parent_column if owned.hops else owned.primary_key
    return Grouping(columns, sql.Identifier(at, last), sql.SQL(" ").join(joins))


def _described(connection: Connection[Any], name: str) -> tuple[Described, ...]:
    query = (_QUERIES / f"{name}.sql").read_bytes()
    return tuple(sorted((Described(*map(str, row)) for row in connection.execute(query).fetchall()), key=repr))


def _positions(connection: Connection[Any]) -> Mapping[str, Position]:
    found = {}
    for name, schema, table, column in connection.execute((_QUERIES / "sequences.sql").read_bytes()).fetchall():
        sequence = sql.SQL(name)  # quoted by the server's own format('%I.%I')
        last = connection.execute(
            sql.SQL("SELECT CASE WHEN is_called THEN last_value ELSE last_value - 1 END FROM {}").format(sequence)
        ).fetchone()
        largest = None
        if column is not None:
            row = connection.execute(
                sql.SQL("SELECT max({}) FROM {}").format(sql.Identifier(column), sql.Identifier(schema, table))
            ).fetchone()
            largest = None if row is None or row[0] is None else int(row[0])
        found[str(name)] = Position(int(last[0]) if last else 0, largest)
    return found
