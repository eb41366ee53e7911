"""
Owns who sends the load: one user of each of several tenants, logged in beforehand, the larger tenants more often.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from psycopg import sql

from playbook.errors import Unavailable
from playbook.load.plan import Caller
from playbook.postgres.connect import connect
from playbook.proof.scene import Scene
from playbook.service.client import Client, login

__all__ = ["TenantUser", "log_in_callers", "read_tenant_users"]

TENANTS_MOST = 6

LARGEST = sql.SQL(
    "SELECT tenant, email, users, root FROM ("
    " SELECT DISTINCT ON (t.id) t.id, t.slug AS tenant, u.email, count(*) OVER (PARTITION BY t.id) AS users,"
    " to_jsonb(t)::text AS root"
    " FROM {root} t JOIN {users} u ON u.tenant_id = t.id WHERE t.status = 'active' ORDER BY t.id, u.id"
    ") one ORDER BY users DESC, id LIMIT %s"
)


@dataclass(frozen=True, slots=True)
class TenantUser:
    """
    One user, its tenant, how many users that has, and the canary that stands in the tenant's own row.
    """

    tenant: str
    email: str
    users: int
    canary: str | None


def read_tenant_users(scene: Scene, *, limit: int = TENANTS_MOST) -> list[TenantUser]:
    """
    Read one user of each of the `limit` largest active tenants, as superuser. Read-only.

    Raises Unavailable when the target names no tenancy or there is no tenant with a user.
    """
    target = scene.target
    if target.tenancy is None:
        raise Unavailable("the target has no tenancy section", hint="Write one, or run `playbook adopt`.")
    root = target.tenancy.root.split(".", 1)
    query = LARGEST.format(root=sql.Identifier(*root), users=sql.Identifier(root[0], "users"))
    with connect(scene.database, "superuser", read_only=True, purpose="load") as conn:
        rows = conn.execute(query, (limit,)).fetchall()
    if not rows:
        raise Unavailable("no active tenant has a user", hint="Seed the database.")
    pattern = target.traffic.canary if target.traffic else None
    return [TenantUser(tenant, email, users, _canary(pattern, row)) for tenant, email, users, row in rows]


def log_in_callers(scene: Scene, users: list[TenantUser], *, address: str) -> tuple[Caller, ...]:
    """
    Log each user in at `address`, once per scene; return them as callers, weighted by the size of their tenant.

    Raises Unavailable when the target does not say how to log in, PlaybookError when a login is refused.
    """
    known = scene.once("load.callers", dict[str, Caller])
    missing = [one for one in users if one.email not in known]
    known.update(zip((one.email for one in missing), _log_in(scene, missing, address), strict=True))
    return tuple(known[one.email] for one in users)


def _log_in(scene: Scene, users: list[TenantUser], address: str) -> list[Caller]:
    how = scene.target.api.login if scene.target.api else None
    if how is None:
        raise Unavailable("the target does not say how to log in", hint="Write api.login.")
    callers = []
    with Client(address) as client:
        for one in users:
            token = login(
                client, how, tenant=one.tenant, email=one.email, password=scene.secrets.get("seed_password", "")
            )
            callers.append(
                Caller(
                    name=one.tenant,
                    weight=float(one.users),
                    headers={"Authorization": f"Bearer {token}"},
                    canary=one.canary,
                )
            )
    return callers


def _canary(pattern: str | None, row: str) -> str | None:
    found = re.search(pattern, row) if pattern else None
    return found.group(0) if found else None
