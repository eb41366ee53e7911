"""
Owns the ORM's view of the schema.

It holds on the schema as found and on the hardened one: below users no table's tenant is ever named here. There the
tenant is bound to the transaction, and the column's default and the policies do the rest.
"""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from pydantic import JsonValue
from sqlalchemy import BigInteger, DateTime, ForeignKey, Identity, Text, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

__all__ = ["Document", "KnowledgeBase", "Model", "Tenant", "User"]


class Model(DeclarativeBase):
    """
    A row with an identity and two times, both kept by the database's clock.
    """

    type_annotation_map: ClassVar = {
        str: Text,
        int: BigInteger,
        datetime: DateTime(timezone=True),
        dict[str, JsonValue]: JSONB,
    }
    __mapper_args__ = {"eager_defaults": True}  # noqa: RUF012 (declared so by the base class)

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now(), onupdate=func.now())


class Tenant(Model):
    """
    A customer.
    """

    __tablename__ = "tenants"

    name: Mapped[str]
    slug: Mapped[str]
    plan: Mapped[str] = mapped_column(server_default="free")
    status: Mapped[str] = mapped_column(server_default="active")
    settings: Mapped[dict[str, JsonValue]] = mapped_column(server_default="{}")


class User(Model):
    """
    A person who may log in to one tenant.
    """

    __tablename__ = "users"

    tenant_id: Mapped[int] = mapped_column(ForeignKey("tenants.id"))
    email: Mapped[str]
    full_name: Mapped[str] = mapped_column(server_default="")
    password_hash: Mapped[str]
    role: Mapped[str] = mapped_column(server_default="member")


class KnowledgeBase(Model):
    """
    A collection of documents that one user owns.
    """

    __tablename__ = "knowledge_bases"

    owner_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    name: Mapped[str]
    description: Mapped[str] = mapped_column(server_default="")


class Document(Model):
    """
    A text in a knowledge base. `attributes` is the column `metadata`, a name that the ORM keeps for itself.
    """

    __tablename__ = "documents"

    knowledge_base_id: Mapped[int] = mapped_column(ForeignKey("knowledge_bases.id"))
    title: Mapped[str]
    body: Mapped[str]
    attributes: Mapped[dict[str, JsonValue]] = mapped_column("metadata", server_default="{}")
