"""
Owns where a request's tenant comes from.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from knowledge.switches import Switches
from knowledge.tokens import Claims

__all__ = ["TenantSource", "choose_source", "tenant_from_header", "tenant_from_token"]

HEADER = "X-Tenant-ID"
AN_ID = re.compile(r"[0-9]{1,18}")

TenantSource = Callable[[Claims, Mapping[str, str]], int | None]
"""Takes the verified claims and the request's headers (case-insensitive); gives the tenant's id, None for none."""


def tenant_from_token(claims: Claims, _headers: Mapping[str, str]) -> int | None:
    """
    Take the tenant that was signed into the token at login; nothing else that the client sends is asked.
    """
    return claims.tenant_id


def tenant_from_header(claims: Claims, headers: Mapping[str, str]) -> int | None:
    """
    Weak: let the client say which tenant it is, the token only where it does not. What is no id is no tenant.
    """
    if HEADER not in headers:
        return claims.tenant_id
    return int(headers[HEADER]) if AN_ID.fullmatch(headers[HEADER]) else None


def choose_source(switches: Switches) -> TenantSource:
    """
    Choose the form by `tenant_from_token`.
    """
    return tenant_from_token if switches.tenant_from_token else tenant_from_header
