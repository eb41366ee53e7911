"""
Owns the queries by which a step is known to be done. They read the catalogue and nothing else.
"""

from __future__ import annotations

from typing import LiteralString

from psycopg import sql

__all__ = [
    "column_exists",
    "column_exists_if_table",
    "constraint_exists",
    "constraint_gone",
    "constraint_valid",
    "default_is_context",
    "index_gone",
    "index_valid",
    "isolated",
    "role_is",
]


def _ask(query: LiteralString, **values: str) -> sql.Composed:
    return sql.SQL(query).format(**{name: sql.Literal(value) for name, value in values.items()})


def column_exists(table: str, column: str) -> sql.Composed:
    """The table has the column."""
    return _ask(
        "SELECT EXISTS (SELECT FROM pg_attribute WHERE attrelid = {table}::regclass"
        " AND attname = {column} AND NOT attisdropped)",
        table=table,
        column=column,
    )


def column_exists_if_table(table: str, column: str) -> sql.Composed:
    """The table, which may not be there at all, has the column."""
    return _ask(
        "SELECT EXISTS (SELECT FROM pg_attribute WHERE attrelid = to_regclass({table})"
        " AND attname = {column} AND NOT attisdropped)",
        table=table,
        column=column,
    )


def default_is_context(table: str, column: str, setting: str) -> sql.Composed:
    """The column's default reads the setting."""
    return _ask(
        "SELECT EXISTS (SELECT FROM pg_attrdef d JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum"
        " WHERE d.adrelid = {table}::regclass AND a.attname = {column}"
        " AND strpos(pg_get_expr(d.adbin, d.adrelid), quote_literal({setting})) > 0)",
        table=table,
        column=column,
        setting=setting,
    )


def constraint_exists(table: str, name: str) -> sql.Composed:
    """The constraint is there, validated or not."""
    return _ask(
        "SELECT EXISTS (SELECT FROM pg_constraint WHERE conrelid = {table}::regclass AND conname = {name})",
        table=table,
        name=name,
    )


def constraint_valid(table: str, name: str) -> sql.Composed:
    """The constraint is there and validated."""
    return _ask(
        "SELECT EXISTS (SELECT FROM pg_constraint"
        " WHERE conrelid = {table}::regclass AND conname = {name} AND convalidated)",
        table=table,
        name=name,
    )


def constraint_gone(table: str, name: str) -> sql.Composed:
    """The constraint is not there."""
    return _ask(
        "SELECT NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = {table}::regclass AND conname = {name})",
        table=table,
        name=name,
    )


def index_valid(table: str, name: str) -> sql.Composed:
    """The index is there and valid: one that a killed CONCURRENTLY left behind is not."""
    return _ask(
        "SELECT EXISTS (SELECT FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid"
        " WHERE i.indrelid = {table}::regclass AND c.relname = {name} AND i.indisvalid)",
        table=table,
        name=name,
    )


def index_gone(table: str, name: str) -> sql.Composed:
    """The index is not there."""
    return _ask(
        "SELECT NOT EXISTS (SELECT FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid"
        " WHERE i.indrelid = {table}::regclass AND c.relname = {name})",
        table=table,
        name=name,
    )


def isolated(table: str, *policies: str) -> sql.Composed:
    """Row security is enabled and forced, and the policies are there."""
    return sql.SQL(
        "SELECT c.relrowsecurity AND c.relforcerowsecurity"
        " AND (SELECT count(*) = {wanted} FROM pg_policy p WHERE p.polrelid = c.oid AND p.polname = ANY ({policies}))"
        " FROM pg_class c WHERE c.oid = {table}::regclass"
    ).format(table=sql.Literal(table), policies=sql.Literal(list(policies)), wanted=sql.Literal(len(policies)))


def role_is(name: str, *, bypasses: bool) -> sql.Composed:
    """The role is there, no superuser, and bypasses row security or does not."""
    return sql.SQL(
        "SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = {name}"
        " AND NOT rolsuper AND NOT rolcreaterole AND NOT rolreplication AND rolbypassrls = {bypasses})"
    ).format(name=sql.Literal(name), bypasses=sql.Literal(bypasses))
