"""
Owns where a request's tenant comes from.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from knowledge.switches import Switches
from knowledge.tokens import Claims

__all__ = ["MalformedTenantError", "TenantSource", "choose_source", "tenant_from_header", "tenant_from_token"]

HEADER = "X-Tenant-ID"

TenantSource = Callable[[Claims, Mapping[str, str]], int]
"""Takes the verified claims and the request's headers (case-insensitive); gives the tenant's id."""


class MalformedTenantError(ValueError):
    """
    The header does not hold a tenant's id.
    """


def tenant_from_token(claims: Claims, _headers: Mapping[str, str]) -> int:
    """
    Take the tenant that was signed into the token at login; nothing else that the client sends is asked.
    """
    return claims.tenant_id


def tenant_from_header(claims: Claims, headers: Mapping[str, str]) -> int:
    """
    Weak: let the client say which tenant it is, the token only where it does not.

    Raises MalformedTenantError when the header is not a number.
    """
    if HEADER not in headers:
        return claims.tenant_id
    try:
        return int(headers[HEADER])
    except ValueError:
        raise MalformedTenantError(HEADER) from None


def choose_source(switches: Switches) -> TenantSource:
    """
    Choose the form by `tenant_from_token`.
    """
    return tenant_from_token if switches.tenant_from_token else tenant_from_header
