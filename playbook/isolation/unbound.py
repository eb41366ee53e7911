"""
Owns the check about a request whose token, though signed, names no tenant.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator

from pydantic import JsonValue

from playbook.errors import Unavailable
from playbook.evidence.result import Observation
from playbook.isolation.asking import ask
from playbook.isolation.openapi import read_operations
from playbook.isolation.walk import Caller, walking
from playbook.proof.check import Finding, check
from playbook.proof.scene import Scene
from playbook.service.client import Client

__all__ = ["UNBOUND_CHECKS", "without_tenant"]

REFUSED = (401, 403)


def _lists(scene: Scene) -> list[str]:
    return [one.name for one in read_operations(scene) if one.is_list]


def _decoded(part: str) -> JsonValue:
    parsed: JsonValue = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return parsed


def _encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def without_tenant(token: str, secret: str, tenant: str) -> str:
    """
    Sign a token anew (HS256, RFC 7518 section 3.2) whose claim of that tenant is null.

    Raises Unavailable when none of its claims is the tenant.
    """
    head, body, _ = token.split(".")
    claims = _decoded(body)
    assert isinstance(claims, dict)
    named = [name for name, value in claims.items() if str(value) == tenant and "tenant" in name]
    if not named:
        raise Unavailable("no claim of the token names the tenant", hint="Is api.tenant_from of the target 'token'?")
    signed = f"{head}.{_encoded(json.dumps({**claims, **dict.fromkeys(named)}).encode())}"
    return f"{signed}.{_encoded(hmac.digest(secret.encode(), signed.encode(), hashlib.sha256))}"


@check(
    "http.tenant.required",
    title="A token without a tenant is refused",
    phase="30",
    severity="high",
    why="A token from before there were tenants is signed and valid; nothing may be served for nobody (MT-6).",
    how="Sign a token anew with its tenant null, and send every list with it: 401 or 403, not an empty page.",
    remedy="Refuse a request whose tenant cannot be established, before any transaction begins.",
    population=_lists,
    on="copy",
    dear=True,
)
def tenant_required(scene: Scene) -> Iterator[Finding]:
    """Ask for nobody."""
    secret = scene.secrets.get("jwt_secret")
    if secret is None:
        raise Unavailable("the signing secret of this service is not known here", hint="Run it on a stack.")
    with walking(scene) as walk:
        for operation in read_operations(scene):
            if not operation.is_list:
                continue
            if not walk.callers:
                yield Finding.undecided("nobody to log in", subject=operation.name)
                continue
            with Client(scene.endpoints.url("app"), token=_token(walk.callers[0], secret)) as client:
                answer = ask(client, operation)
            seen = Observation(role="client", request=operation.name, value=answer.status, unit="HTTP status")
            yield Finding(
                operation.name, expected=[*REFUSED], operator="in", actual=answer.status, observations=(seen,)
            )


def _token(caller: Caller, secret: str) -> str:
    return without_tenant(caller.token, secret, caller.actor.tenant_id)


UNBOUND_CHECKS = (tenant_required,)
