"""
Owns the mapping of who uses the service: plans, tenants, users and their keys.
"""

from __future__ import annotations

from datetime import datetime

from pydantic import JsonValue
from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from knowledge.models.row import Changing, Table

__all__ = ["ApiKey", "Plan", "Tenant", "User"]


class Plan(Table):
    """
    What a tenant may have; shared by all, changed by migrations only.
    """

    __tablename__ = "plans"

    code: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    price_cents: Mapped[int]
    ai_cap_microusd: Mapped[int]


class Tenant(Changing):
    """
    A customer.
    """

    __tablename__ = "tenants"

    name: Mapped[str]
    slug: Mapped[str]
    plan: Mapped[str] = mapped_column(ForeignKey("plans.code"), server_default="free")
    status: Mapped[str] = mapped_column(server_default="active")
    settings: Mapped[dict[str, JsonValue]] = mapped_column(server_default="{}")


class User(Changing):
    """
    A person who may log in to one tenant.
    """

    __tablename__ = "users"

    tenant_id: Mapped[int] = mapped_column(ForeignKey("tenants.id"))
    email: Mapped[str]
    full_name: Mapped[str] = mapped_column(server_default="")
    password_hash: Mapped[str]
    role: Mapped[str] = mapped_column(server_default="member")


class ApiKey(Changing):
    """
    A key with which a program acts as its user; the hash of its secret, never the secret.
    """

    __tablename__ = "api_keys"

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    name: Mapped[str]
    secret_hash: Mapped[str]
    revoked_at: Mapped[datetime | None]
