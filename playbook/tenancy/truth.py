"""
Owns the oracle: to whom a row belongs by the path of foreign keys that the target declares.

It is read as superuser and asks neither a policy nor the tenant key of a child, for those are what is under test.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from playbook.target.target import Tenancy
from playbook.tenancy.relations import identifier

__all__ = ["Hop", "NoPathError", "Ownership", "read_ownership"]

Connection = psycopg.Connection[tuple[Any, ...]]

# Of the foreign keys that the column is in, the shortest; the key that goes along with it says nothing here.
HOP = """
SELECT n.nspname || '.' || f.relname, pa.attname
  FROM pg_constraint c
  JOIN pg_class f ON f.oid = c.confrelid
  JOIN pg_namespace n ON n.oid = f.relnamespace
  JOIN LATERAL unnest(c.conkey, c.confkey) AS pair(child, parent) ON true
  JOIN pg_attribute ca ON ca.attrelid = c.conrelid AND ca.attnum = pair.child
  JOIN pg_attribute pa ON pa.attrelid = c.confrelid AND pa.attnum = pair.parent
 WHERE c.contype = 'f'
   AND c.conrelid = %s::regclass
   AND ca.attname = %s
 ORDER BY cardinality(c.conkey), c.conname
 LIMIT 1
"""

# A partitioned table's primary key must hold what it is partitioned by, which tells no rows apart.
PRIMARY_KEY = """
SELECT a.attname
  FROM pg_index i
  JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
 WHERE i.indrelid = %s::regclass AND i.indisprimary
   AND a.attname NOT IN (SELECT p.attname FROM pg_partitioned_table t
                           JOIN pg_attribute p ON p.attrelid = t.partrelid AND p.attnum = ANY (t.partattrs)
                          WHERE t.partrelid = pg_partition_root(i.indrelid))
"""


class NoPathError(Exception):
    """
    The rows' owner cannot be found: no path is declared, or the database has no foreign key along it.
    """


@dataclass(frozen=True, slots=True)
class Hop:
    """
    One foreign key on the way from a row to its tenant.
    """

    column: str
    parent: str
    parent_column: str


@dataclass(frozen=True, slots=True)
class Ownership:
    """
    How to find the owner of a relation's rows: its single primary key column, and the hops to the root.
    """

    relation: str
    primary_key: str
    hops: tuple[Hop, ...]

    def query(self, *, column: str | None = None) -> sql.Composed:
        """
        Spell the query of every row's key and true owner, both as text; with `column`, that column's text too.
        """
        joins = [
            sql.SQL("JOIN {parent} {after} ON {after}.{parent_column} = {before}.{column}").format(
                parent=identifier(hop.parent),
                after=sql.Identifier(f"t{number + 1}"),
                before=sql.Identifier(f"t{number}"),
                parent_column=sql.Identifier(hop.parent_column),
                column=sql.Identifier(hop.column),
            )
            for number, hop in enumerate(self.hops)
        ]
        last = self.hops[-1].parent_column if self.hops else self.primary_key
        extra = sql.SQL(", t0.{column}::text").format(column=sql.Identifier(column)) if column else sql.SQL("")
        return sql.SQL("SELECT t0.{key}::text, {owner}::text{extra} FROM {relation} t0 {joins}").format(
            key=sql.Identifier(self.primary_key),
            owner=sql.Identifier(f"t{len(self.hops)}", last),
            extra=extra,
            relation=identifier(self.relation),
            joins=sql.SQL(" ").join(joins),
        )


def read_ownership(conn: Connection, tenancy: Tenancy, relation: str) -> Ownership:
    """
    Find how a relation's rows reach their tenant: by the declared path, else by a tenant key that references the root.

    Read-only. Raises NoPathError with what is missing.
    """
    keys = [str(name) for (name,) in conn.execute(PRIMARY_KEY, (_regclass(relation),)).fetchall()]
    if len(keys) != 1:
        raise NoPathError(f"{relation} has {len(keys)} primary key columns; one is needed to tell its rows apart")
    if relation == tenancy.root:
        return Ownership(relation, keys[0], ())
    declared = tenancy.tables.get(relation)
    path = declared.path.split(">") if declared and declared.path else [tenancy.key]
    hops = []
    at = relation
    for column in path:
        row = conn.execute(HOP, (_regclass(at), column)).fetchone()
        if row is None:
            raise NoPathError(f"{at} has no foreign key on {column}; declare in the target whose rows these are")
        hops.append(Hop(column, str(row[0]), str(row[1])))
        at = str(row[0])
    if at != tenancy.root:
        raise NoPathError(f"the path {'>'.join(path)} of {relation} ends at {at}, not at {tenancy.root}")
    return Ownership(relation, keys[0], tuple(hops))


def _regclass(relation: str) -> str:
    return identifier(relation).as_string(None)
