"""
Owns making a throw-away subject small: whole tenants are taken out of it, so that what stays is consistent.

A fault of a procedure shows on a few tenants as on all; the drill, which measures time, keeps every row.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from psycopg import Connection, sql

from playbook.errors import GuardError
from playbook.postgres.connect import connect
from playbook.stack.protocol import Server
from playbook.target.target import Tenancy

__all__ = ["thin"]

_KEYED = """
    SELECT format('%%s.%%s', n.nspname, c.relname),
           bool_or(a.attname = %s)
      FROM pg_catalog.pg_class c
      JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
      JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
     WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND format('%%s.%%s', n.nspname, c.relname) = ANY (%s)
     GROUP BY 1
"""


def thin(subject: Server, database: str, tenancy: Tenancy, *, keep: int) -> int:
    """
    Delete the rows of all but `keep` tenants: those that have rows in most tables, and few. Returns how many went.

    Nothing is deleted where a table does not carry the tenant's key itself. Raises GuardError when the subject is not
    sealed.
    """
    if not subject.database(database).sealed:
        raise GuardError(f"{database} of the subject is not sealed: nothing is deleted", hint="Rehearse on a copy.")
    with connect(subject.dsn(database), "superuser", purpose="thin") as connection:
        tables = _keyed(connection, tenancy)
        if not all(tables.values()):
            return 0
        kept = _chosen(connection, tenancy, tables, keep)
        # Keys that refer to other rows are not asked: whole tenants go, and no row refers to another tenant's.
        connection.execute("SET LOCAL session_replication_role = replica")
        return sum(connection.execute(_deleting(table, tenancy.key), (kept,)).rowcount for table in tables)


def _keyed(connection: Connection[Any], tenancy: Tenancy) -> Mapping[str, bool]:
    names = [name for name, table in tenancy.tables.items() if table.kind != "shared" and name != tenancy.root]
    return {str(name): bool(has) for name, has in connection.execute(_KEYED, (tenancy.key, names)).fetchall()}


def _chosen(connection: Connection[Any], tenancy: Tenancy, tables: Mapping[str, bool], keep: int) -> list[str]:
    filled: Counter[str] = Counter()
    rows: Counter[str] = Counter()
    for table in tables:
        query = sql.SQL("SELECT {key}::text, count(*) FROM {table} GROUP BY 1").format(
            key=sql.Identifier(tenancy.key), table=sql.Identifier(*table.split(".", 1))
        )
        for tenant, count in connection.execute(query).fetchall():
            filled[str(tenant)] += 1
            rows[str(tenant)] += int(count)
    return sorted(rows, key=lambda tenant: (-filled[tenant], rows[tenant], tenant))[:keep]


def _deleting(table: str, key: str) -> sql.Composed:
    return sql.SQL("DELETE FROM {table} WHERE {key}::text <> ALL (%s)").format(
        table=sql.Identifier(*table.split(".", 1)), key=sql.Identifier(key)
    )
