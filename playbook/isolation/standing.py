"""
Owns the check that a tenant which is suspended is served no more, though its token is still valid.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from psycopg import sql

from playbook.evidence.result import Observation
from playbook.isolation.openapi import read_operations
from playbook.isolation.truth import superuser
from playbook.isolation.walk import walking
from playbook.proof.check import Finding, check
from playbook.proof.scene import Scene
from playbook.service.client import try_login
from playbook.stack.guard import require_sealed
from playbook.tenancy.relations import identifier, need_tenancy

__all__ = ["STANDING_CHECKS"]

WAYS = ("login", "request")
FORBIDDEN = 403


@contextmanager
def _suspended(scene: Scene, tenant: str) -> Iterator[None]:
    """
    Suspend a tenant for the time of the block.
    """
    root = identifier(need_tenancy(scene.target).root)
    update = sql.SQL("UPDATE {root} SET status = %s WHERE id::text = %s").format(root=root)
    with superuser(scene) as god:
        god.execute(update, ("suspended", tenant))
        try:
            yield
        finally:
            god.execute(update, ("active", tenant))


@check(
    "http.tenant.inactive-refused",
    title="A suspended tenant can neither log in nor go on with the token it has",
    phase="30",
    severity="high",
    why="A token outlives what it was issued for: who was suspended an hour ago would work on until it expires (MT-6).",
    how="Log in, suspend the tenant as superuser, send a read with the token and log in again: both must be 403.",
    remedy="Ask the tenant's status at login and, under the bound tenant, on every request.",
    population=lambda _: list(WAYS),
    on="copy",
    dear=True,
)
def inactive_refused(scene: Scene) -> Iterator[Finding]:
    """Suspend a tenant that is logged in."""
    require_sealed(scene.database)
    bound = next((one for one in read_operations(scene) if one.method == "GET" and one.path == "/me"), None)
    api = scene.target.api
    with walking(scene) as walk:
        if not walk.callers or bound is None or api is None or api.login is None:
            for way in WAYS:
                yield Finding.undecided("nobody to log in, or no read to ask", subject=way)
            return
        caller = walk.callers[0]
        before = caller.ask(bound).status
        with _suspended(scene, caller.actor.tenant_id):
            actor, password = caller.actor, scene.secrets.get("seed_password", "")
            again = try_login(caller.client, api.login, tenant=actor.tenant, email=actor.email, password=password)
            told = {"request": caller.ask(bound).status, "login": again.status}
        for way in WAYS:
            seen = Observation(role="client", request=f"{way} when suspended", value=told[way], unit="HTTP status")
            yield Finding(way, expected=[200, FORBIDDEN], actual=[before, told[way]], observations=(seen,))


STANDING_CHECKS = (inactive_refused,)
