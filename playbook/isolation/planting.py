"""
Owns rows planted on a throw-away copy: copies of real ones under keys of their own, taken away afterwards.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from psycopg import Connection, sql
from psycopg.rows import TupleRow
from psycopg.types.json import Jsonb
from pydantic import JsonValue

from playbook.tenancy.relations import identifier
from playbook.tenancy.truth import Ownership

__all__ = ["Shape", "Values", "insert_statement", "make_row", "planted", "read_row", "read_shape", "remove_row"]

Values = dict[str, JsonValue]
OFFSET = 1_000_000_000

COLUMNS = """
SELECT a.attname, a.atttypid::regtype::text,
       EXISTS (SELECT FROM pg_index i WHERE i.indrelid = a.attrelid AND i.indisunique AND a.attnum = ANY (i.indkey)),
       EXISTS (SELECT FROM pg_constraint c WHERE c.conrelid = a.attrelid
                  AND c.contype IN ('c', 'f') AND a.attnum = ANY (c.conkey))
  FROM pg_attribute a
 WHERE a.attrelid = %s::regclass AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
 ORDER BY a.attnum
"""
TEXTS = ("text", "character varying", "character", "citext")


@dataclass(frozen=True, slots=True)
class Shape:
    """
    One relation's columns: all of them, the texts that are unique, and one text that nothing constrains.
    """

    relation: str
    primary_key: str
    key_type: str
    columns: tuple[str, ...]
    unique_texts: tuple[str, ...]
    free_text: str | None


def read_shape(conn: Connection[TupleRow], ownership: Ownership) -> Shape:
    """
    Read a relation's columns from the catalogue. Read-only.
    """
    rows = conn.execute(COLUMNS, (identifier(ownership.relation).as_string(None),)).fetchall()
    texts = [(str(name), unique, bound) for name, kind, unique, bound in rows if kind in TEXTS]
    return Shape(
        relation=ownership.relation,
        primary_key=ownership.primary_key,
        key_type=next(str(kind) for name, kind, _, _ in rows if name == ownership.primary_key),
        columns=tuple(str(name) for name, *_ in rows),
        unique_texts=tuple(name for name, unique, _ in texts if unique),
        free_text=next((name for name, unique, bound in texts if not unique and not bound), None),
    )


def make_row(
    conn: Connection[TupleRow], shape: Shape, like: str, *, number: int, changes: Values | None = None
) -> Values:
    """
    Make the values of a new row like an existing one, under a key and unique texts of its own. Read-only.
    """
    values = read_row(conn, shape, like)
    assert values is not None
    values[shape.primary_key] = _new_key(shape, number)
    for name in shape.unique_texts:
        if name != shape.primary_key:
            values[name] = f"planted-{number}-{values[name]}"
    return {**values, **(changes or {})}


def read_row(conn: Connection[TupleRow], shape: Shape, key: JsonValue) -> Values | None:
    """
    Read one row by its key; None when there is none. Read-only.
    """
    query = sql.SQL("SELECT to_jsonb(r) FROM {relation} r WHERE {key}::text = %s").format(
        relation=identifier(shape.relation), key=sql.Identifier(shape.primary_key)
    )
    row = conn.execute(query, (str(key),)).fetchone()
    return None if row is None else dict(row[0])


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
    return conn.execute(query, (str(key),)).rowcount > 0


@contextmanager
def planted(
    conn: Connection[TupleRow], shape: Shape, like: str, *, number: int, changes: Values | None = None
) -> Iterator[Values]:
    """
    Plant a row as superuser for the time of the block. It has no children, so no foreign key hides a policy.
    """
    values = make_row(conn, shape, like, number=number, changes=changes)
    conn.execute(insert_statement(shape), (Jsonb(values),))
    try:
        yield values
    finally:
        remove_row(conn, shape, values[shape.primary_key])


def _new_key(shape: Shape, number: int) -> JsonValue:
    if shape.key_type in ("bigint", "integer", "smallint"):
        return (OFFSET if shape.key_type != "smallint" else 30_000) + number
    if shape.key_type == "uuid":
        return str(uuid.UUID(int=number))
    return f"planted-{number}"
