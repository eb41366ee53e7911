"""
Owns the check about what the service writes into its log while tenants use it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from playbook.evidence.result import Observation
from playbook.isolation.asking import Asked, ask
from playbook.isolation.openapi import read_operations
from playbook.isolation.walk import CANARY, Caller, Walk, walking
from playbook.proof.check import Finding, check
from playbook.proof.scene import Scene
from playbook.service.client import Client, try_login

__all__ = ["LOG_CHECKS"]

KINDS = ("addresses", "marks of tenants", "passwords", "tokens")
ADDRESS = re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]+")
TOKEN = re.compile(r"eyJ[\w-]+\.[\w-]+\.[\w-]+")
MISTYPED = "a-password-that-was-mistyped"
SHOWN = 3
"""So many of the lines that should not be there are counted by their first words; none is quoted."""


def _use(scene: Scene, walk: Walk, caller: Caller) -> None:
    """
    Use the service as a customer does: read everything, search for one's own, mistype a password and an address.
    """
    tenant = caller.actor.tenant_id
    for operation in read_operations(scene):
        if operation.is_list:
            caller.ask(operation, Asked(search=f"canary-{caller.actor.tenant}", limit="5"))
        elif operation.is_object and operation.method == "GET":
            owned = walk.relation_of(operation)
            if owned is not None and owned.of(tenant).rows:
                caller.ask(operation, Asked(owned.of(tenant).sample))
    with Client(scene.endpoints.url("app")) as anonymous:
        for operation in read_operations(scene):
            if not operation.secured and "email" in operation.query:
                ask(anonymous, operation, Asked(search=caller.actor.email))
        api = scene.target.api
        assert api is not None
        assert api.login is not None
        try_login(anonymous, api.login, tenant=caller.actor.tenant, email=caller.actor.email, password=MISTYPED)


@check(
    "log.line.impersonal",
    title="No log line holds what tenants store, their addresses, passwords or tokens",
    phase="30",
    severity="high",
    why="Logs are read by more people, kept longer and copied further than any table; no policy guards them (MT-8).",
    how="Use the service as a tenant: read, search, mistype the password; then look through every line of its log.",
    remedy="An allow list of fields, texts in them masked; the route's template and never the request's target.",
    population=lambda _: list(KINDS),
    on="copy",
    dear=True,
)
def log_impersonal(scene: Scene) -> Iterator[Finding]:
    """Use the service, then read its log."""
    with walking(scene) as walk:
        if not walk.callers:
            for kind in KINDS:
                yield Finding.undecided("nobody to log in", subject=kind)
            return
        _use(scene, walk, walk.callers[0])
    lines = scene.logs.read("app").splitlines()
    password = scene.secrets.get("seed_password", MISTYPED)
    held = {
        "addresses": sum(bool(ADDRESS.search(line)) for line in lines),
        "marks of tenants": sum(bool(CANARY.search(line)) or "canary-" in line for line in lines),
        "passwords": sum(password in line or MISTYPED in line for line in lines),
        "tokens": sum(bool(TOKEN.search(line)) for line in lines),
    }
    for kind in KINDS:
        if not lines:
            yield Finding.undecided("the service wrote no line", subject=kind)
            continue
        seen = Observation(role="log", value=len(lines), unit="lines")
        yield Finding(kind, expected=0, actual=held[kind], observations=(seen,))


LOG_CHECKS = (log_impersonal,)
