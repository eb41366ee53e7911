"""
Owns rows planted on a throw-away copy: copies of real ones under keys of their own, taken away afterwards.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import Connection, errors, sql
from psycopg.rows import TupleRow
from psycopg.types.json import Jsonb
from pydantic import JsonValue

from playbook.isolation.shape import NUMBERS, TEXTS, Shape, Values, insert_statement, key_is
from playbook.tenancy.relations import identifier

__all__ = ["lifted", "make_row", "planted", "read_row", "remove_row"]

OFFSET = 1_000_000_000

CHILDREN = """
SELECT c.conrelid::regclass::text, ca.attname, n.nspname, r.relname
  FROM pg_constraint c
  JOIN pg_class r ON r.oid = c.conrelid
  JOIN pg_namespace n ON n.oid = r.relnamespace
  JOIN LATERAL unnest(c.conkey, c.confkey) AS pair(child, parent) ON true
  JOIN pg_attribute ca ON ca.attrelid = c.conrelid AND ca.attnum = pair.child
  JOIN pg_attribute pa ON pa.attrelid = c.confrelid AND pa.attnum = pair.parent
 WHERE c.contype = 'f' AND c.conparentid = 0 AND c.confrelid = %s::regclass AND pa.attname = %s
"""
YEAR = 2100
"""Dates in unique keys are moved beyond it."""


def make_row(
    conn: Connection[TupleRow], shape: Shape, like: str, *, number: int, changes: Values | None = None
) -> Values:
    """
    Make the values of a new row like an existing one, under a key and unique values of its own. Read-only.
    """
    values = read_row(conn, shape, like)
    assert values is not None
    if not shape.fixed:
        values[shape.primary_key] = _new_key(shape, number)
        for name, kind in shape.unique:
            values[name] = _new_unique(kind, values[name], number)
    return {**values, **shape.defaults, **(changes or {})}


def read_row(conn: Connection[TupleRow], shape: Shape, key: JsonValue) -> Values | None:
    """
    Read one row by its key; None when there is none. Read-only.
    """
    query = sql.SQL("SELECT to_jsonb(r) FROM {relation} r WHERE {key}").format(
        relation=identifier(shape.relation), key=key_is(shape, str(key))
    )
    row = conn.execute(query, (str(key),)).fetchone()
    return None if row is None else dict(row[0])


def remove_row(conn: Connection[TupleRow], shape: Shape, key: JsonValue) -> bool:
    """
    Destroy one row by its key; say whether there was one.
    """
    query = sql.SQL("DELETE FROM {relation} WHERE {key}").format(
        relation=identifier(shape.relation), key=key_is(shape, str(key))
    )
    try:
        return conn.execute(query, (str(key),)).rowcount > 0
    except errors.ForeignKeyViolation:
        _remove_children(conn, shape, key)
        return conn.execute(query, (str(key),)).rowcount > 0


def _remove_children(conn: Connection[TupleRow], shape: Shape, key: JsonValue) -> None:
    """
    Destroy what a request hung on a planted row.
    """
    regclass = identifier(shape.relation).as_string(None)
    for _, column, schema, table in conn.execute(CHILDREN, (regclass, shape.primary_key)).fetchall():
        conn.execute(
            sql.SQL("DELETE FROM {} WHERE {}::text = %s").format(sql.Identifier(schema, table), sql.Identifier(column)),
            (str(key),),
        )


@contextmanager
def lifted(conn: Connection[TupleRow], shape: Shape, key: str) -> Iterator[None]:
    """
    Take away a row whose key names its tenant for the time of the block, so that another can be tried; put it back.
    """
    values = read_row(conn, shape, key) if shape.fixed else None
    if values is not None:
        remove_row(conn, shape, key)
    try:
        yield
    finally:
        if values is not None:
            remove_row(conn, shape, key)
            _put(conn, shape, values)


def _put(conn: Connection[TupleRow], shape: Shape, values: Values) -> None:
    """
    Insert a row as it is: a trigger would number it, or note who did what.
    """
    quiet = sql.SQL("BEGIN; SET LOCAL session_replication_role = replica; {insert}; COMMIT")
    try:
        with psycopg.ClientCursor(conn) as cursor:
            cursor.execute(quiet.format(insert=insert_statement(shape)), (Jsonb(values),))
    except psycopg.Error:
        conn.execute("ROLLBACK")
        raise


@contextmanager
def planted(
    conn: Connection[TupleRow], shape: Shape, like: str, *, number: int, changes: Values | None = None
) -> Iterator[Values]:
    """
    Plant a row as superuser for the time of the block. It has no children, so no foreign key hides a policy.
    """
    values = make_row(conn, shape, like, number=number, changes=changes)
    key = values[shape.primary_key]
    before = read_row(conn, shape, key) if shape.fixed else None
    if before is None:
        _put(conn, shape, values)
    try:
        yield before or read_row(conn, shape, key) or values
    finally:
        remove_row(conn, shape, key)
        if before is not None:
            _put(conn, shape, before)


def _new_key(shape: Shape, number: int) -> JsonValue:
    if shape.key_type in ("bigint", "integer", "smallint"):
        return (OFFSET if shape.key_type != "smallint" else 30_000) + number
    if shape.key_type == "uuid":
        return str(uuid.UUID(int=number))
    return f"planted-{number}"


def _new_unique(kind: str, value: JsonValue, number: int) -> JsonValue:
    if kind in TEXTS:
        return f"planted-{number}-{value}"
    if kind in NUMBERS:
        return OFFSET + number
    if kind in ("date", "timestamp with time zone", "timestamp without time zone"):
        return f"{YEAR + number}-01-01"
    return value
