"""
Owns rows planted on a throw-away copy: copies of real ones under keys of their own, taken away afterwards.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from psycopg import Connection, errors, sql
from psycopg.rows import TupleRow
from psycopg.types.json import Jsonb
from pydantic import JsonValue

from playbook.tenancy.relations import identifier
from playbook.tenancy.truth import Ownership

__all__ = [
    "Shape",
    "Values",
    "changed",
    "insert_statement",
    "lifted",
    "make_row",
    "planted",
    "read_row",
    "read_shape",
    "remove_row",
]

Values = dict[str, JsonValue]
OFFSET = 1_000_000_000

COLUMNS = """
SELECT a.attname, a.atttypid::regtype::text,
       EXISTS (SELECT FROM pg_index i WHERE i.indrelid = a.attrelid AND i.indisunique AND a.attnum = ANY (i.indkey)),
       EXISTS (SELECT FROM pg_constraint c WHERE c.conrelid = a.attrelid
                  AND c.contype IN ('c', 'f') AND a.attnum = ANY (c.conkey)),
       EXISTS (SELECT FROM pg_constraint c WHERE c.conrelid = a.attrelid
                  AND c.contype = 'f' AND a.attnum = ANY (c.conkey)),
       pg_get_expr(d.adbin, d.adrelid)
  FROM pg_attribute a
  LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
 WHERE a.attrelid = %s::regclass AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
 ORDER BY a.attnum
"""
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
TEXTS = ("text", "character varying", "character", "citext")
NUMBERS = ("bigint", "integer", "smallint", "numeric")
_VALUES: dict[str, sql.Composable] = {"text": sql.Literal("changed by another"), "number": sql.Literal(-1)}
YEAR = 2100
"""Dates in unique keys are moved beyond it."""


@dataclass(frozen=True, slots=True)
class Shape:
    """
    One relation's columns: all of them, those that are unique by their type, and one that nothing constrains.

    `change` is that column and the kind of value it gets. `fixed` says that the key itself names the tenant, so that
    there cannot be a second row; `defaults` are texts of a closed list with the one that a new row has.
    """

    relation: str
    primary_key: str
    key_type: str
    columns: tuple[str, ...]
    unique: tuple[tuple[str, str], ...]
    change: tuple[str, str]
    fixed: bool
    defaults: Values


def read_shape(conn: Connection[TupleRow], ownership: Ownership) -> Shape:
    """
    Read a relation's columns from the catalogue. Read-only.
    """
    rows = conn.execute(COLUMNS, (identifier(ownership.relation).as_string(None),)).fetchall()
    key = ownership.primary_key
    free = [(str(name), str(kind)) for name, kind, unique, bound, *_ in rows if not unique and not bound]
    change = next(
        ((name, "text") for name, kind in free if kind in TEXTS),
        next(((name, "number") for name, kind in free if kind in NUMBERS), (key, "same")),
    )
    closed = [
        (str(name), str(default)) for name, kind, _, bound, _, default in rows if kind in TEXTS and bound and default
    ]
    return Shape(
        relation=ownership.relation,
        primary_key=key,
        key_type=next(str(kind) for name, kind, *_ in rows if name == key),
        columns=tuple(str(name) for name, *_ in rows),
        unique=tuple(
            (str(name), str(kind)) for name, kind, unique, _, refers, _ in rows if unique and not refers and name != key
        ),
        change=change,
        fixed=next(bool(refers) for name, _, _, _, refers, _ in rows if name == key),
        defaults={name: default.split("'")[1] for name, default in closed if default.startswith("'")},
    )


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
    query = sql.SQL("SELECT to_jsonb(r) FROM {relation} r WHERE {key}::text = %s").format(
        relation=identifier(shape.relation), key=sql.Identifier(shape.primary_key)
    )
    row = conn.execute(query, (str(key),)).fetchone()
    return None if row is None else dict(row[0])


def changed(shape: Shape) -> sql.Composed:
    """
    Spell the change of one column that nothing constrains.
    """
    column, value = shape.change
    return sql.SQL("{} = {}").format(sql.Identifier(column), _VALUES.get(value, sql.Identifier(column)))


def insert_statement(shape: Shape) -> sql.Composed:
    """
    Spell the insert of one row given as JSON, with every column named. It moves no sequence.
    """
    columns = sql.SQL(", ").join(map(sql.Identifier, shape.columns))
    return sql.SQL(
        "INSERT INTO {relation} ({columns}) OVERRIDING SYSTEM VALUE"
        " SELECT {columns} FROM jsonb_populate_record(NULL::{relation}, %s)"
    ).format(relation=identifier(shape.relation), columns=columns)


def remove_row(conn: Connection[TupleRow], shape: Shape, key: JsonValue) -> bool:
    """
    Destroy one row by its key; say whether there was one.
    """
    query = sql.SQL("DELETE FROM {relation} WHERE {key}::text = %s").format(
        relation=identifier(shape.relation), key=sql.Identifier(shape.primary_key)
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
    with conn.transaction():
        conn.execute("SET LOCAL session_replication_role = replica")
        conn.execute(insert_statement(shape), (Jsonb(values),))


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
