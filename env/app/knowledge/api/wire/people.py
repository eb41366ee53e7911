"""
Owns the shapes of accounts, users, API keys and plans.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, SecretStr, StringConstraints

from knowledge.api.wire.values import Email, In, LooseEmail, Name, Out, Slug

__all__ = [
    "ApiKeyIn",
    "ApiKeyOut",
    "Availability",
    "Credentials",
    "MeOut",
    "NewApiKey",
    "PlanOut",
    "Registered",
    "Registration",
    "TenantOut",
    "Token",
    "UserChange",
    "UserIn",
    "UserOut",
]

Password = Annotated[SecretStr, Field(min_length=12, max_length=1024)]
Role = Literal["member", "moderator", "admin"]


class Registration(In):
    """
    A new tenant and its first administrator.
    """

    tenant_name: Name
    tenant_slug: Slug
    email: Email
    password: Password


class Credentials(In):
    """
    A login: the tenant's slug, and a user of it.
    """

    tenant: Annotated[str, StringConstraints(max_length=63)]
    email: LooseEmail
    password: SecretStr = Field(max_length=1024)


class Token(Out):
    """
    An access token, and for how many seconds it is good.
    """

    access_token: str
    token_type: Literal["bearer"] = "bearer"  # noqa: S105 (the scheme's name)
    expires_in_s: int


class Registered(Out):
    """
    What registration created.
    """

    tenant_id: int
    user_id: int


class Availability(Out):
    """
    Whether an address is free.
    """

    available: bool


class TenantOut(Out):
    """
    A tenant as its members see it.
    """

    id: int
    name: str
    slug: str
    plan: str


class MeOut(Out):
    """
    The caller's own account.
    """

    id: int
    email: str
    full_name: str
    role: str
    tenant: TenantOut


class UserIn(In):
    """
    A user to create in the caller's tenant.
    """

    email: Email
    full_name: Name
    password: Password
    role: Role = "member"


class UserChange(In):
    """
    What to change; what is left out stays.
    """

    full_name: Name | None = None
    role: Role | None = None


class UserOut(Out):
    """
    A user as administrators see them.
    """

    id: int
    email: str
    full_name: str
    role: str
    created_at: datetime


class ApiKeyIn(In):
    """
    A key to create.
    """

    name: Name


class ApiKeyOut(Out):
    """
    A key, without its secret.
    """

    id: int
    name: str
    created_at: datetime
    revoked_at: datetime | None


class NewApiKey(ApiKeyOut):
    """
    A key just made: `key` is shown here and never again.
    """

    key: str


class PlanOut(Out):
    """
    What can be bought.
    """

    code: str
    name: str
    price_cents: int
    ai_cap_microusd: int
