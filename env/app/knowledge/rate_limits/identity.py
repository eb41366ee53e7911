"""
Owns whose requests are counted together: by address, user, tenant, header, or all as one.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.types import Scope

from knowledge.refusal import Refusal
from knowledge.tokens import Claims, InvalidTokenError, Tokens

__all__ = ["ClientAddress", "Identities", "check_key", "forwarded_by_trusted", "forwarded_leftmost"]

FORWARDED = "X-Forwarded-For"
PARTS = ("ip", "user", "tenant", "global")

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
ClientAddress = Callable[[Scope, Headers], str]
"""Takes a request's scope and headers; gives the address it is counted under."""


def check_key(key: str) -> None:
    """
    Refuse a key that this service cannot tell before a handler runs. Raises Refusal.
    """
    for part in key.split("+"):
        if part not in PARTS and not part.startswith("header:"):
            raise Refusal("KB_LIMITS_FILE", f"key {part!r} is not one of {', '.join(PARTS)}, header:NAME")


def forwarded_by_trusted(trusted: Sequence[Network]) -> ClientAddress:
    """
    Make the form that believes X-Forwarded-For only where a trusted proxy wrote it.

    It takes the last hop, and goes on leftwards while that is a trusted proxy too.
    """

    def address(scope: Scope, headers: Headers) -> str:
        seen = _peer(scope)
        hops = [hop.strip() for line in headers.getlist(FORWARDED) for hop in line.split(",")]
        while hops and _within(seen, trusted):
            seen = hops.pop()
        return _canonical(seen)

    return address


def forwarded_leftmost(scope: Scope, headers: Headers) -> str:
    """
    Weak: believe the leftmost forwarded address, which is whatever the client wrote.
    """
    return headers.get(FORWARDED, _peer(scope)).split(",")[0].strip()


@dataclass(frozen=True, slots=True)
class Identities:
    """
    Tells under which identity a request is counted.
    """

    address: ClientAddress
    tokens: Tokens

    def of(self, key: str, scope: Scope, headers: Headers) -> str:
        """
        Spell the identity for a key such as `ip` or `tenant+ip`.

        Who cannot prove to be a user, or sends no such header, is counted by address.
        """
        return "|".join(self._part(part, scope, headers) for part in key.split("+"))

    def _part(self, part: str, scope: Scope, headers: Headers) -> str:
        if part == "global":
            return "all"
        if part.startswith("header:"):
            value = headers.get(part.removeprefix("header:"))
            return f"{part}={value}" if value else self._by_address(scope, headers)
        claims = self._claims(headers) if part in ("user", "tenant") else None
        if claims is None:
            return self._by_address(scope, headers)
        return f"user={claims.user_id}" if part == "user" else f"tenant={claims.tenant_id}"

    def _by_address(self, scope: Scope, headers: Headers) -> str:
        return f"ip={self.address(scope, headers)}"

    def _claims(self, headers: Headers) -> Claims | None:
        scheme, _, token = headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        try:
            return self.tokens.verify(token.strip())
        except InvalidTokenError:
            return None


def _peer(scope: Scope) -> str:
    client = scope.get("client")
    return str(client[0]) if client else "unknown"


def _within(address: str, networks: Sequence[Network]) -> bool:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(parsed in network for network in networks)


def _canonical(address: str) -> str:
    """
    Spell an address one way; an IPv6 address counts by its /64, which one client owns whole (RFC 6177).
    """
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if parsed.version == 6:  # noqa: PLR2004 (the protocol's number)
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)
