"""
Owns the check about views and materialized views, which have no policies of their own.
"""

from __future__ import annotations

from collections.abc import Iterator

from psycopg import Connection, sql
from psycopg.rows import TupleRow

from playbook.evidence.result import Observation
from playbook.isolation.acting import acting, app
from playbook.isolation.truth import Truth, read_truth, ring_limit, superuser
from playbook.isolation.walk import CANARY
from playbook.proof.check import Finding, check
from playbook.proof.scene import Scene
from playbook.tenancy.relations import identifier, need_tenancy, view_relations

__all__ = ["VIEW_CHECKS"]

LOOKED_AT = 1000
"""So many rows of a view each tenant looks at: enough for one that shows everything."""

SHOWN = "SELECT v::text FROM {view} v LIMIT {limit}"
MARKED = "SELECT EXISTS (SELECT FROM {view} v WHERE v::text ~ %s)"
MAY_READ = "SELECT has_table_privilege(%s, 'SELECT')"
SLUGS = "SELECT id::text, slug FROM {root}"
LISTED = """
SELECT schemaname || '.' || viewname FROM pg_views
 WHERE schemaname NOT IN ('pg_catalog', 'information_schema', 'playbook')
 UNION ALL
SELECT schemaname || '.' || matviewname FROM pg_matviews WHERE schemaname <> 'playbook'
"""


@check(
    "rows.view.own-only",
    title="No tenant reads another's rows through a view",
    phase="30",
    severity="critical",
    why="A view reads with its owner's rights unless it says otherwise, a materialized one stores everybody's rows.",
    how="As several tenants, over the service's own connection, read each view; look for the marks of other tenants.",
    remedy="security_invoker for views; no grant on materialized ones, but a function that answers for one tenant.",
    population=view_relations,
    on="copy",
    reach="rows",
)
def view_own_only(scene: Scene) -> Iterator[Finding]:
    """Read all views."""
    truth = read_truth(scene)
    with superuser(scene, read_only=True) as god, app(scene) as conn:
        root = identifier(need_tenancy(scene.target).root)
        slugs = {str(key): str(slug) for key, slug in god.execute(sql.SQL(SLUGS).format(root=root)).fetchall()}
        for (view,) in god.execute(LISTED).fetchall():
            if not _is_marked(god, view):
                yield Finding.undecided(
                    "none of its rows bears a tenant's mark, by which it could be told", subject=view
                )
                continue
            may = conn.execute(MAY_READ, (identifier(view).as_string(None),)).fetchone() == (True,)
            conn.rollback()
            foreign = _foreign(scene, conn, truth, slugs, view) if may else []
            seen = Observation(role="app", value="may be read" if may else "may not be read")
            yield Finding(view, expected=[], operator="empty", actual=[*foreign], observations=(seen,))


def _is_marked(god: Connection[TupleRow], view: str) -> bool:
    query = sql.SQL(MARKED).format(view=identifier(view))
    return god.execute(query, (CANARY.pattern,)).fetchone() == (True,)


def _foreign(scene: Scene, conn: Connection[TupleRow], truth: Truth, slugs: dict[str, str], view: str) -> list[str]:
    """
    List which tenants saw whose marks.
    """
    query = sql.SQL(SHOWN).format(view=identifier(view), limit=sql.Literal(LOOKED_AT))
    told: set[str] = set()
    root = truth.relations[need_tenancy(scene.target).root]
    for tenant, _ in root.ring(ring_limit(scene)):
        with acting(scene, conn, tenant):
            text = "\n".join(str(row) for (row,) in conn.execute(query).fetchall())
        others = set(CANARY.findall(text)) - {slugs[tenant]}
        told.update(f"{slugs[tenant]} sees {other}" for other in sorted(others)[:1])
    return sorted(told)


VIEW_CHECKS = (view_own_only,)
