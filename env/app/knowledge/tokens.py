"""
Owns access tokens: what is signed into them, and what is accepted back.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import jwt

__all__ = ["Claims", "InvalidTokenError", "Tokens"]

ALGORITHM = "HS256"
ISSUER = "knowledge"


class InvalidTokenError(ValueError):
    """
    The token is not ours, was altered, has expired or lacks a claim.
    """


@dataclass(frozen=True, slots=True)
class Claims:
    """
    Who logged in, in which tenant, with which role. A token from before there were tenants holds none.
    """

    user_id: int
    tenant_id: int | None
    role: str


@dataclass(frozen=True, slots=True)
class Tokens:
    """
    Signs and verifies tokens with one secret.
    """

    secret: str
    lifetime_s: int
    clock: Callable[[], float] = time.time

    def sign(self, claims: Claims) -> str:
        """
        Sign the claims into a token that is good for `lifetime_s` from now.
        """
        now_s = int(self.clock())
        payload = {
            "iss": ISSUER,
            "sub": str(claims.user_id),
            "tenant": claims.tenant_id,
            "role": claims.role,
            "iat": now_s,
            "exp": now_s + self.lifetime_s,
        }
        return jwt.encode(payload, self.secret, algorithm=ALGORITHM)

    def verify(self, token: str) -> Claims:
        """
        Verify signature, algorithm, issuer and expiry, then give the claims.

        Raises InvalidTokenError. The algorithm is ours, never the token's (RFC 8725, section 3.1).
        """
        try:
            payload = jwt.decode(
                token,
                self.secret,
                algorithms=[ALGORITHM],
                issuer=ISSUER,
                options={"require": ["iss", "sub", "role", "exp"]},
            )
            tenant = payload.get("tenant")
            return Claims(
                user_id=int(payload["sub"]),
                tenant_id=None if tenant is None else int(tenant),
                role=str(payload["role"]),
            )
        except (jwt.InvalidTokenError, TypeError, ValueError) as error:
            raise InvalidTokenError(type(error).__name__) from error
