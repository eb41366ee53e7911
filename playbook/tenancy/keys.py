"""
Owns the checks about the tenant's key: there, required, referencing a tenant, indexed, and part of every unique key.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from psycopg import sql

from playbook.evidence.result import Observation
from playbook.postgres.connect import connect
from playbook.proof.check import Finding, check
from playbook.proof.scene import Scene
from playbook.tenancy.relations import child_relations, need_tenancy

__all__ = ["KEY_CHECKS"]

# The information schema's own words, not the catalogue's that the population is read from.
TABLES = """
WITH tables AS (
    SELECT format('%%s.%%s', table_schema, table_name) AS relation,
           format('%%I.%%I', table_schema, table_name)::regclass AS oid,
           table_schema, table_name
      FROM information_schema.tables
     WHERE table_type = 'BASE TABLE'
       AND table_schema NOT IN ('pg_catalog', 'information_schema', 'playbook')
)
"""
NOT_NULL = """
SELECT t.relation,
       CASE WHEN c.column_name IS NULL THEN 'absent'
            WHEN c.is_nullable = 'YES' THEN 'nullable'
            WHEN EXISTS (SELECT FROM pg_constraint n WHERE n.conrelid = t.oid AND NOT n.convalidated
                            AND n.conkey = ARRAY[(SELECT a.attnum FROM pg_attribute a
                                                   WHERE a.attrelid = t.oid AND a.attname = %(key)s)])
            THEN 'not validated'
            ELSE 'required' END
  FROM tables t
  LEFT JOIN information_schema.columns c
    ON (c.table_schema, c.table_name, c.column_name) = (t.table_schema, t.table_name, %(key)s)
"""
REFERENCES = """
SELECT t.relation,
       EXISTS (SELECT FROM pg_constraint f JOIN pg_attribute a ON a.attrelid = t.oid AND a.attname = %(key)s
                WHERE f.contype = 'f' AND f.conrelid = t.oid AND f.convalidated
                  AND f.confrelid = %(root)s::regclass AND f.conkey = ARRAY[a.attnum])
  FROM tables t
"""
INDEXED = """
SELECT t.relation,
       EXISTS (SELECT FROM pg_index i JOIN pg_attribute a ON a.attrelid = t.oid AND a.attname = %(key)s
                WHERE i.indrelid = t.oid AND i.indisvalid AND i.indpred IS NULL AND i.indkey[0] = a.attnum)
  FROM tables t
"""
# A key over all tenants tells one tenant what another has. The surrogate primary key says nothing to anybody.
OVER_ALL = """
SELECT t.relation,
       coalesce((SELECT json_agg(i.indexrelid::regclass::text ORDER BY 1) FROM pg_index i
                  WHERE i.indrelid = t.oid AND i.indisunique AND NOT i.indisprimary
                    AND NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = t.oid
                                       AND a.attname = %(key)s AND a.attnum = ANY (i.indkey))), '[]')
  FROM tables t
"""
AGREE = """
SELECT t.relation,
       coalesce((SELECT json_agg(p.conname ORDER BY p.conname) FROM pg_constraint p
                  WHERE p.contype = 'f' AND p.conrelid = t.oid
                    AND p.confrelid NOT IN (SELECT oid FROM shared UNION SELECT %(root)s::regclass)
                    AND NOT (p.convalidated AND EXISTS (
                        SELECT FROM unnest(p.conkey, p.confkey) AS pair(child, parent)
                          JOIN pg_attribute c ON c.attrelid = p.conrelid AND c.attnum = pair.child
                          JOIN pg_attribute f ON f.attrelid = p.confrelid AND f.attnum = pair.parent
                         WHERE c.attname = %(key)s AND f.attname = %(key)s))), '[]')
  FROM tables t
"""


def _ask(scene: Scene, query: str) -> Iterator[tuple[str, Any, Observation]]:
    """
    Ask one query of every child relation of the catalogue, as superuser. Read-only.
    """
    tenancy = need_tenancy(scene.target)
    schema, _, table = tenancy.root.partition(".")
    shared = [name for name, one in tenancy.tables.items() if one.kind == "shared"]
    # One that is not there would be null, and NOT IN would say nothing of any.
    listed = (
        "shared AS (SELECT oid FROM unnest(%(shared)s::text[]) AS name, to_regclass(name) AS oid WHERE oid IS NOT NULL)"
    )
    text = f"{TABLES.rstrip()}, {listed} {query}"
    values = {"key": tenancy.key, "root": sql.Identifier(schema, table).as_string(None), "shared": shared}
    with connect(scene.database, "superuser", read_only=True, purpose="keys") as conn:
        rows = conn.execute(text.encode(), values).fetchall()
    seen = Observation(role="superuser", query=" ".join(query.split()))
    for relation, value in rows:
        if relation != tenancy.root and relation not in shared:
            yield str(relation), value, seen


@check(
    "schema.key.required",
    title="Every table of tenants has the tenant's key, NOT NULL",
    phase="20",
    severity="critical",
    why="A row without a tenant belongs to nobody, or to whoever comes first (MT-2).",
    how="Read each table's key column from the information schema; a constraint not yet validated does not count.",
    remedy="Add the key, fill it along the foreign keys, then NOT NULL … NOT VALID and VALIDATE.",
    population=child_relations,
)
def key_required(scene: Scene) -> Iterator[Finding]:
    """Look at the key column."""
    for relation, actual, seen in _ask(scene, NOT_NULL):
        yield Finding(relation, expected="required", actual=actual, observations=(seen,))


@check(
    "schema.key.references-tenants",
    title="The key references the tenants' table",
    phase="20",
    severity="high",
    why="Without it a row can name a tenant that does not exist, and a tenant can go while its rows stay (MT-2).",
    how="Look for a validated foreign key of that one column to the root.",
    remedy="ADD CONSTRAINT … FOREIGN KEY (key) REFERENCES tenants NOT VALID, then VALIDATE.",
    population=child_relations,
)
def key_references_tenants(scene: Scene) -> Iterator[Finding]:
    """Look at the foreign keys."""
    for relation, actual, seen in _ask(scene, REFERENCES):
        yield Finding(relation, expected=True, actual=actual, observations=(seen,))


@check(
    "schema.key.indexed",
    title="An index leads with the key",
    phase="20",
    severity="medium",
    why="Every statement under row security carries the key: without such an index each scans all tenants (MT-2).",
    how="Look for a valid, whole index whose first column is the key.",
    remedy="CREATE INDEX CONCURRENTLY … (key, …); drop an invalid one first.",
    population=child_relations,
)
def key_indexed(scene: Scene) -> Iterator[Finding]:
    """Look at the indexes."""
    for relation, actual, seen in _ask(scene, INDEXED):
        yield Finding(relation, expected=True, actual=actual, observations=(seen,))


@check(
    "schema.key.in-unique-keys",
    title="No unique key goes over all tenants",
    phase="20",
    severity="medium",
    why="A refused e-mail address tells one customer who is another's; and two tenants cannot both have one.",
    how="List the unique indexes, other than primary keys, that do not hold the tenant's key.",
    remedy="Make the unique key one of (key, column) and drop the old one.",
    population=child_relations,
)
def key_in_unique_keys(scene: Scene) -> Iterator[Finding]:
    """Look at the unique indexes."""
    for relation, actual, seen in _ask(scene, OVER_ALL):
        yield Finding(relation, expected=[], operator="empty", actual=actual, observations=(seen,))


@check(
    "schema.key.in-references",
    title="A child references its parent together with the tenant's key",
    phase="20",
    severity="high",
    why="Foreign keys are checked without row security: a simple one takes another tenant's row for a parent.",
    how="List the foreign keys to other tables of tenants that do not pair key with key, or are not validated.",
    remedy="FOREIGN KEY (key, parent_id) REFERENCES parent (key, id), and drop the simple one.",
    population=child_relations,
)
def key_in_references(scene: Scene) -> Iterator[Finding]:
    """Look at the foreign keys to parents."""
    for relation, actual, seen in _ask(scene, AGREE):
        yield Finding(relation, expected=[], operator="empty", actual=actual, observations=(seen,))


KEY_CHECKS = (key_required, key_references_tenants, key_indexed, key_in_unique_keys, key_in_references)
