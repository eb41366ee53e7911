"""
Owns the check about the tenants' own table: it holds what a tenant is, and tells tenants apart.
"""

from __future__ import annotations

from collections.abc import Iterator

from psycopg import sql

from playbook.evidence.result import Observation
from playbook.postgres.connect import connect
from playbook.proof.check import Finding, check
from playbook.proof.scene import Scene
from playbook.tenancy.relations import need_tenancy

__all__ = ["ROOT_CHECKS"]

ROOT = """
SELECT wanted
  FROM unnest(ARRAY['name', 'slug', 'plan', 'status', 'settings', 'created_at', 'updated_at']) AS wanted
 WHERE wanted NOT IN (SELECT column_name FROM information_schema.columns
                       WHERE (table_schema, table_name) = (%(schema)s, %(table)s))
 UNION ALL
SELECT 'slug is not unique'
 WHERE NOT EXISTS (SELECT FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attname = 'slug'
                    WHERE i.indrelid = %(root)s::regclass AND i.indisunique AND i.indisvalid
                      AND i.indpred IS NULL AND i.indnkeyatts = 1 AND i.indkey[0] = a.attnum)
"""


@check(
    "schema.root.described",
    title="The tenants' table holds what a tenant is, and one slug names one tenant",
    phase="20",
    severity="medium",
    why="A slug that two tenants share logs people in to the wrong one; without a status none can be suspended (MT-1).",
    how="Look for the columns in the information schema, and for a valid unique index on the slug alone.",
    remedy="Add the missing column or UNIQUE (slug).",
)
def root_described(scene: Scene) -> Iterator[Finding]:
    """Look at the root's columns and keys."""
    schema, _, table = need_tenancy(scene.target).root.partition(".")
    root = sql.Identifier(schema, table).as_string(None)
    with connect(scene.database, "superuser", read_only=True, purpose="keys") as conn:
        missing = conn.execute(ROOT, {"schema": schema, "table": table, "root": root}).fetchall()
    lacks = [str(what) for (what,) in missing]
    yield Finding(expected=[], operator="empty", actual=[*lacks], observations=(Observation(role="superuser"),))


ROOT_CHECKS = (root_described,)
