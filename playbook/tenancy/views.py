"""
Owns the check about views, plain and materialized: what they show the service of other tenants.
"""

from __future__ import annotations

from collections.abc import Iterator

from playbook.evidence.result import Observation
from playbook.postgres.connect import connect
from playbook.proof.check import Finding, check
from playbook.proof.scene import Scene
from playbook.tenancy.policies import read_app_role
from playbook.tenancy.relations import view_relations

__all__ = ["VIEW_CHECKS"]

# A materialized view can have no policy: only who may not read it at all is kept from the others' rows.
VIEWS = """
SELECT format('%%s.%%s', schemaname, viewname),
       CASE WHEN EXISTS (SELECT FROM pg_class c, pg_options_to_table(c.reloptions) o
                          WHERE c.oid = format('%%I.%%I', schemaname, viewname)::regclass
                            AND o.option_name = 'security_invoker' AND o.option_value IN ('true', 'on', '1', 'yes'))
                 OR NOT has_table_privilege(%(app)s, format('%%I.%%I', schemaname, viewname), 'SELECT')
            THEN 'own rows' ELSE 'its owner''s rows' END
  FROM pg_views WHERE schemaname NOT IN ('pg_catalog', 'information_schema', 'playbook')
UNION ALL
SELECT format('%%s.%%s', schemaname, matviewname),
       CASE WHEN has_table_privilege(%(app)s, format('%%I.%%I', schemaname, matviewname), 'SELECT')
            THEN 'stored rows of all' ELSE 'own rows' END
  FROM pg_matviews WHERE schemaname NOT IN ('pg_catalog', 'information_schema', 'playbook')
"""


@check(
    "rls.view.own-rows",
    title="A view shows the service what its tables would",
    phase="20",
    severity="critical",
    why="A view reads with its owner's rights by default, and a materialized one can have no policy at all (MT-4).",
    how="Read each view's security_invoker, and whether the service's role may read a materialized view.",
    remedy="ALTER VIEW … SET (security_invoker = true); read materialized views through a reviewed function.",
    population=view_relations,
)
def view_own_rows(scene: Scene) -> Iterator[Finding]:
    """Look at the views."""
    app = read_app_role(scene)
    with connect(scene.database, "superuser", read_only=True, purpose="views") as conn:
        rows = conn.execute(VIEWS.encode(), {"app": app}).fetchall()
    for view, shows in rows:
        yield Finding(view, expected="own rows", actual=shows, observations=(Observation(role="app", value=app),))


VIEW_CHECKS = (view_own_rows,)
