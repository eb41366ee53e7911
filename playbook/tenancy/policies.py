"""
Owns the checks about row security as the catalogue has it: enabled, forced, and a policy for every command.

What the policies do is phase 30's question.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from playbook.evidence.result import Observation
from playbook.postgres.connect import connect
from playbook.proof.check import Finding, check
from playbook.proof.scene import Scene
from playbook.tenancy.relations import need_tenancy, tenant_relations

__all__ = ["POLICY_CHECKS"]

STATE = """
SELECT format('%s.%s', t.schemaname, t.tablename), t.rowsecurity, c.relforcerowsecurity
  FROM pg_tables t
  JOIN pg_class c ON c.oid = format('%I.%I', t.schemaname, t.tablename)::regclass
 WHERE t.schemaname NOT IN ('pg_catalog', 'information_schema', 'playbook')
"""
COMMANDS = ["DELETE", "INSERT", "SELECT", "UPDATE"]
POLICIES = """
SELECT format('%%s.%%s', t.schemaname, t.tablename),
       coalesce((SELECT json_agg(DISTINCT command ORDER BY command)
                   FROM pg_policies p
                   CROSS JOIN LATERAL unnest(
                        CASE WHEN p.cmd = 'ALL' THEN ARRAY['DELETE', 'INSERT', 'SELECT', 'UPDATE']
                             ELSE ARRAY[p.cmd] END) AS command
                  WHERE (p.schemaname, p.tablename) = (t.schemaname, t.tablename)
                    AND p.permissive = 'PERMISSIVE'
                    AND EXISTS (SELECT FROM unnest(p.roles) AS role
                                 WHERE role = 'public' OR pg_has_role(%(app)s, role, 'USAGE'))), '[]')
  FROM pg_tables t
 WHERE t.schemaname NOT IN ('pg_catalog', 'information_schema', 'playbook')
"""


def _rows(scene: Scene, query: str, values: dict[str, str] | None = None) -> list[tuple[Any, ...]]:
    tenancy = need_tenancy(scene.target)
    shared = {name for name, one in tenancy.tables.items() if one.kind == "shared"}
    with connect(scene.database, "superuser", read_only=True, purpose="policies") as conn:
        rows = conn.execute(query.encode(), values).fetchall()
    return [row for row in rows if row[0] not in shared]


def read_app_role(scene: Scene) -> str:
    """
    Ask the service's own connection which role it is. Read-only.
    """

    def ask() -> str:
        with connect(scene.database, "app", read_only=True, purpose="who am I") as conn:
            row = conn.execute("SELECT current_user").fetchone()
        assert row is not None
        return str(row[0])

    return scene.once("the service's role", ask)


@check(
    "rls.table.enabled",
    title="Row security is enabled on every table of tenants",
    phase="20",
    severity="critical",
    why="A policy without it is only text (MT-4).",
    how="Read pg_tables.rowsecurity of every table that is not declared shared; partitions are tables too.",
    remedy="ALTER TABLE … ENABLE ROW LEVEL SECURITY",
    population=tenant_relations,
)
def enabled(scene: Scene) -> Iterator[Finding]:
    """Look whether it is enabled."""
    for relation, on, _ in _rows(scene, STATE):
        seen = Observation(role="superuser", query="pg_tables")
        yield Finding(relation, expected=True, actual=on, observations=(seen,))


@check(
    "rls.table.forced",
    title="Row security holds the owner too",
    phase="20",
    severity="high",
    why="Without FORCE the owner, and whoever becomes it, sees every tenant's rows (MT-4).",
    how="Read pg_class.relforcerowsecurity of every table that is not declared shared.",
    remedy="ALTER TABLE … FORCE ROW LEVEL SECURITY",
    population=tenant_relations,
)
def forced(scene: Scene) -> Iterator[Finding]:
    """Look whether it is forced."""
    for relation, _, on in _rows(scene, STATE):
        seen = Observation(role="superuser", query="pg_class")
        yield Finding(relation, expected=True, actual=on, observations=(seen,))


@check(
    "rls.policy.every-command",
    title="A policy for the service's role covers every command",
    phase="20",
    severity="high",
    why="A command without a policy is refused to all, until somebody opens it with a policy too wide (MT-4).",
    how="List the commands that permissive policies for the service's own role cover, per table.",
    remedy="CREATE POLICY … FOR ALL TO app USING (…) WITH CHECK (…)",
    population=tenant_relations,
)
def every_command(scene: Scene) -> Iterator[Finding]:
    """Look which commands have a policy."""
    app = read_app_role(scene)
    for relation, commands in _rows(scene, POLICIES, {"app": app}):
        seen = Observation(role="superuser", query="pg_policies", value=f"for the role {app}")
        yield Finding(relation, expected=list(COMMANDS), actual=commands, observations=(seen,))


POLICY_CHECKS = (enabled, forced, every_command)
