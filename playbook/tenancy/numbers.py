"""
Owns the check about numbers that people see: counted per tenant, or they tell each how much the others do.
"""

from __future__ import annotations

from collections.abc import Iterator

from playbook.evidence.result import Observation
from playbook.postgres.connect import connect
from playbook.proof.check import Finding, check
from playbook.proof.scene import Scene
from playbook.tenancy.relations import child_relations, need_tenancy

__all__ = ["NUMBER_CHECKS"]

# The surrogate primary key is no number that anybody is shown as one; any other that a sequence counts is.
DRAWN = """
SELECT format('%s.%s', c.table_schema, c.table_name),
       coalesce(json_agg(c.column_name ORDER BY c.column_name) FILTER (WHERE
           (c.is_identity = 'YES' OR strpos(c.column_default, 'nextval(') > 0)
           AND NOT EXISTS (SELECT FROM information_schema.key_column_usage u
                             JOIN information_schema.table_constraints k
                               ON (k.constraint_schema, k.constraint_name) = (u.constraint_schema, u.constraint_name)
                            WHERE k.constraint_type = 'PRIMARY KEY'
                              AND (u.table_schema, u.table_name, u.column_name)
                                = (c.table_schema, c.table_name, c.column_name))), '[]')
  FROM information_schema.columns c
  JOIN information_schema.tables t USING (table_schema, table_name)
 WHERE t.table_type = 'BASE TABLE'
   AND c.table_schema NOT IN ('pg_catalog', 'information_schema', 'playbook')
 GROUP BY 1
"""


@check(
    "schema.numbers.per-tenant",
    title="No number is drawn from one counter for all tenants",
    phase="20",
    severity="low",
    why="Two invoices of one's own, a month apart, tell how many all the others got: a sequence knows no tenant.",
    how="List the columns, other than primary keys, that an identity or a sequence's next value fills.",
    remedy="Count per tenant: a counters' table whose row a trigger locks and counts up.",
    population=child_relations,
)
def per_tenant(scene: Scene) -> Iterator[Finding]:
    """Look at what fills the columns."""
    tenancy = need_tenancy(scene.target)
    shared = {name for name, one in tenancy.tables.items() if one.kind == "shared"}
    with connect(scene.database, "superuser", read_only=True, purpose="numbers") as conn:
        rows = conn.execute(DRAWN).fetchall()
    for relation, drawn in rows:
        if relation != tenancy.root and relation not in shared:
            seen = Observation(role="superuser", query="information_schema.columns")
            yield Finding(relation, expected=[], operator="empty", actual=drawn, observations=(seen,))


NUMBER_CHECKS = (per_tenant,)
