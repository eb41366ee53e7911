"""
Owns the shape of a relation as the catalogue has it: what a row of it needs, and the statements that change one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from psycopg import Connection, sql
from psycopg.rows import TupleRow
from pydantic import JsonValue

from playbook.proof.scene import Scene
from playbook.tenancy.relations import identifier
from playbook.tenancy.truth import Ownership

__all__ = ["NUMBERS", "TEXTS", "Shape", "Values", "changed", "insert_statement", "key_is", "read_shape", "shape_of"]

Values = dict[str, JsonValue]

# What a table is partitioned by decides where a row lies; beside its key it tells no two apart.
COLUMNS = """
SELECT a.attname, a.atttypid::regtype::text,
       EXISTS (SELECT FROM pg_index i WHERE i.indrelid = a.attrelid AND i.indisunique AND a.attnum = ANY (i.indkey))
           AND NOT EXISTS (SELECT FROM pg_partitioned_table t
                             JOIN pg_attribute p ON p.attrelid = t.partrelid AND p.attnum = ANY (t.partattrs)
                            WHERE t.partrelid = pg_partition_root(a.attrelid) AND p.attname = a.attname),
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
REFERENCES = """
SELECT DISTINCT ca.attname, n.nspname || '.' || f.relname
  FROM pg_constraint c
  JOIN pg_class f ON f.oid = c.confrelid
  JOIN pg_namespace n ON n.oid = f.relnamespace
  JOIN LATERAL unnest(c.conkey) AS child(number) ON true
  JOIN pg_attribute ca ON ca.attrelid = c.conrelid AND ca.attnum = child.number
 WHERE c.contype = 'f' AND c.conrelid = %s::regclass
 ORDER BY 1, 2
"""
TEXTS = ("text", "character varying", "character", "citext")
_WHOLE = ("bigint", "integer", "smallint")
NUMBERS = (*_WHOLE, "numeric")
VALUES: dict[str, sql.Composable] = {"text": sql.Literal("changed by another"), "number": sql.Literal(-1)}


@dataclass(frozen=True, slots=True)
class Shape:
    """
    One relation's columns: all of them, those that are unique by their type, and one that nothing constrains.

    `change` is that column and the kind of value it gets. `fixed` says that the key itself names the tenant, so that
    there cannot be a second row; `defaults` are texts of a closed list with the one that a new row has; `references`
    are the columns of foreign keys with the relation that each leads to, the tenant's key among them.
    """

    relation: str
    primary_key: str
    key_type: str
    columns: tuple[str, ...]
    unique: tuple[tuple[str, str], ...]
    change: tuple[str, str]
    fixed: bool
    defaults: Values
    references: tuple[tuple[str, str], ...]


def shape_of(scene: Scene, conn: Connection[TupleRow], ownership: Ownership) -> Shape:
    """
    Read a relation's columns once per scene. Read-only.
    """
    return scene.once(f"isolation.shape.{ownership.relation}", lambda: read_shape(conn, ownership))


def read_shape(conn: Connection[TupleRow], ownership: Ownership) -> Shape:
    """
    Read a relation's columns from the catalogue. Read-only.
    """
    regclass = identifier(ownership.relation).as_string(None)
    rows = conn.execute(COLUMNS, (regclass,)).fetchall()
    references = conn.execute(REFERENCES, (regclass,)).fetchall()
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
        references=tuple((str(column), str(parent)) for column, parent in references),
    )


def key_is(shape: Shape, key: str) -> sql.Composed:
    """
    Spell the condition that a row has this key, with a place for it as text; by the index where the type allows.
    """
    column = sql.Identifier(shape.primary_key)
    if shape.key_type in _WHOLE and re.fullmatch(r"-?\d{1,18}", key):
        return sql.SQL("{} = %s::bigint").format(column)
    if shape.key_type == "uuid" and re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", key):
        return sql.SQL("{} = %s::uuid").format(column)
    return sql.SQL("{}::text = %s").format(column)


def changed(shape: Shape) -> sql.Composed:
    """
    Spell the change of one column that nothing constrains.
    """
    column, value = shape.change
    return sql.SQL("{} = {}").format(sql.Identifier(column), VALUES.get(value, sql.Identifier(column)))


def insert_statement(shape: Shape) -> sql.Composed:
    """
    Spell the insert of one row given as JSON, with every column named. It moves no sequence.
    """
    columns = sql.SQL(", ").join(map(sql.Identifier, shape.columns))
    return sql.SQL(
        "INSERT INTO {relation} ({columns}) OVERRIDING SYSTEM VALUE"
        " SELECT {columns} FROM jsonb_populate_record(NULL::{relation}, %s)"
    ).format(relation=identifier(shape.relation), columns=columns)
