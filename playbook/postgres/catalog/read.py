"""
Owns reading a snapshot of a schema: one query per noun, each in a file of its own. It must never write.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, fields
from importlib.resources import files
from typing import Any, TypeVar

from psycopg import Connection, sql
from psycopg.rows import class_row, scalar_row, tuple_row

from playbook.postgres.catalog.model import (
    Catalog,
    Column,
    Constraint,
    DefaultGrant,
    Grant,
    Index,
    Membership,
    Policy,
    Relation,
    RoleAttributes,
    Routine,
    Schema,
    Setting,
    Trigger,
)

__all__ = ["read_catalog", "schema_digest"]

Noun = TypeVar("Noun")
_QUERIES = files("playbook.postgres.catalog") / "sql"
_DIGEST = sql.SQL(
    "(SELECT encode(sha256(convert_to(coalesce(string_agg(noun::text, ',' ORDER BY noun::text), ''), 'UTF8')), 'hex')"
    " FROM ({}) AS noun)"
)


def read_catalog(connection: Connection[Any]) -> Catalog:
    """
    Read what stands in the database and is not the system's, an extension's or our own. Read-only.

    Inside a transaction it sees what that transaction did.
    """
    with connection.transaction(), _names_qualified(connection):
        return Catalog(
            schemas=_read(connection, "schemas", Schema),
            relations=_read(connection, "relations", Relation),
            columns=_read(connection, "columns", Column),
            constraints=_read(connection, "constraints", Constraint),
            indexes=_read(connection, "indexes", Index),
            policies=_read(connection, "policies", Policy),
            triggers=_read(connection, "triggers", Trigger),
            routines=_read(connection, "routines", Routine),
            grants=_read(connection, "grants", Grant),
            default_grants=_read(connection, "default_grants", DefaultGrant),
            roles=_read(connection, "roles", RoleAttributes),
            memberships=_read(connection, "memberships", Membership),
            settings=_read(connection, "settings", Setting),
        )


def schema_digest(connection: Connection[Any]) -> str:
    """
    Digest what `read_catalog` would read (sha256, hex): equal exactly when everything in it is. Read-only.

    The server does the work: a drill asks this twice for every fault of the schema.
    """
    nouns = (sql.SQL((_QUERIES / f"{noun.name}.sql").read_text(encoding="utf-8")) for noun in fields(Catalog))
    query = sql.SQL("SELECT {}").format(sql.SQL(", ").join(_DIGEST.format(noun) for noun in nouns))
    with connection.transaction(), _names_qualified(connection), connection.cursor(row_factory=tuple_row) as cursor:
        row = cursor.execute(query).fetchone()
    return hashlib.sha256("".join(row or ()).encode()).hexdigest()


def _read(connection: Connection[Any], name: str, noun: type[Noun]) -> tuple[Noun, ...]:
    query = (_QUERIES / f"{name}.sql").read_bytes()
    with connection.cursor(row_factory=class_row(noun)) as cursor:
        rows = cursor.execute(query).fetchall()
    return tuple(sorted((_frozen(row) for row in rows), key=repr))


def _frozen(row: Noun) -> Noun:
    values = {name: tuple(v) if isinstance(v, list) else v for name, v in asdict(row).items()}  # type: ignore[call-overload]
    return type(row)(**values)


@contextmanager
def _names_qualified(connection: Connection[Any]) -> Iterator[None]:
    # pg_get_expr and its kin leave the schema out of names that search_path finds: none may be found.
    with connection.cursor(row_factory=scalar_row) as cursor:
        before = cursor.execute("SELECT current_setting('search_path')").fetchone()
        cursor.execute("SELECT set_config('search_path', '', true)")
        yield
        cursor.execute("SELECT set_config('search_path', %s, true)", (before,))
