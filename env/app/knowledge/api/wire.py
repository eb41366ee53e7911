"""
Owns the shapes that cross the wire: what may come in, and what goes out.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Generic, Literal, TypeVar

from fastapi import Path, Query
from pydantic import BaseModel, ConfigDict, Field, JsonValue, SecretStr, StringConstraints

__all__ = [
    "Availability",
    "Credentials",
    "DocumentChange",
    "DocumentIn",
    "DocumentOut",
    "Email",
    "Id",
    "KnowledgeBaseChange",
    "KnowledgeBaseIn",
    "KnowledgeBaseOut",
    "Limit",
    "MeOut",
    "Page",
    "PageStart",
    "PathId",
    "Registered",
    "Registration",
    "TenantOut",
    "Token",
]

LARGEST_ID = 2**63 - 1
Id = Annotated[int, Field(ge=1, le=LARGEST_ID)]
PathId = Annotated[Id, Path(description="The object's id.")]
PageStart = Annotated[int, Query(ge=0, le=LARGEST_ID, description="The id after which the page starts.")]
Limit = Annotated[int, Query(ge=1, le=200, description="How many items a page holds at most.")]

Email = Annotated[
    str,
    StringConstraints(strip_whitespace=True, to_lower=True, max_length=254, pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$"),
]
Slug = Annotated[str, StringConstraints(min_length=2, max_length=63, pattern=r"^[a-z0-9](-?[a-z0-9])*$")]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=300)]
Body = Annotated[str, StringConstraints(max_length=200_000)]
Metadata = dict[str, JsonValue]
Item = TypeVar("Item")


class _In(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _Out(BaseModel):
    model_config = ConfigDict(frozen=True, from_attributes=True)


class Registration(_In):
    """
    A new tenant and its first administrator.
    """

    tenant_name: Name
    tenant_slug: Slug
    email: Email
    password: SecretStr = Field(min_length=12, max_length=1024)


class Credentials(_In):
    """
    A login: the tenant's slug, and a user of it.
    """

    tenant: Annotated[str, StringConstraints(max_length=63)]
    email: Annotated[str, StringConstraints(strip_whitespace=True, to_lower=True, max_length=254)]
    password: SecretStr = Field(max_length=1024)


class Token(_Out):
    """
    An access token, and for how many seconds it is good.
    """

    access_token: str
    token_type: Literal["bearer"] = "bearer"  # noqa: S105 (the scheme's name)
    expires_in_s: int


class Registered(_Out):
    """
    What registration created.
    """

    tenant_id: int
    user_id: int


class Availability(_Out):
    """
    Whether an address is free.
    """

    available: bool


class TenantOut(_Out):
    """
    A tenant as its members see it.
    """

    id: int
    name: str
    slug: str
    plan: str


class MeOut(_Out):
    """
    The caller's own account.
    """

    id: int
    email: str
    full_name: str
    role: str
    tenant: TenantOut


class KnowledgeBaseIn(_In):
    """
    A knowledge base to create.
    """

    name: Name
    description: Body = ""


class KnowledgeBaseChange(_In):
    """
    What to change; what is left out stays.
    """

    name: Name | None = None
    description: Body | None = None


class KnowledgeBaseOut(_Out):
    """
    A knowledge base.
    """

    id: int
    owner_id: int
    name: str
    description: str
    created_at: datetime
    updated_at: datetime


class DocumentIn(_In):
    """
    A document to create.
    """

    knowledge_base_id: Id
    title: Name
    body: Body = ""
    metadata: Metadata = Field(default_factory=dict)


class DocumentChange(_In):
    """
    What to change; what is left out stays.
    """

    knowledge_base_id: Id | None = None
    title: Name | None = None
    body: Body | None = None
    metadata: Metadata | None = None


class DocumentOut(_Out):
    """
    A document.
    """

    id: int
    knowledge_base_id: int
    title: str
    body: str
    metadata: Metadata = Field(validation_alias="attributes")
    created_at: datetime
    updated_at: datetime


class Page(_Out, Generic[Item]):
    """
    One page in the order of ids; `next_after` is where the next one starts, null at the end.
    """

    items: list[Item]
    next_after: int | None
