"""
Owns what rows of all tables have in common.
"""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from pydantic import JsonValue
from sqlalchemy import BigInteger, DateTime, Identity, Text, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

__all__ = ["Changing", "Row", "Table"]


class Table(DeclarativeBase):
    """
    The registry of the mapped tables.
    """

    type_annotation_map: ClassVar = {
        str: Text,
        int: BigInteger,
        datetime: DateTime(timezone=True),
        dict[str, JsonValue]: JSONB,
        list[dict[str, JsonValue]]: JSONB,
    }
    __mapper_args__ = {"eager_defaults": True}  # noqa: RUF012 (declared so by the base class)


class Row(Table):
    """
    A row with an identity and the time of its creation, both given by the database.
    """

    __abstract__ = True

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class Changing(Row):
    """
    A row that may change, and the time when it last did, by the database's clock.
    """

    __abstract__ = True

    updated_at: Mapped[datetime] = mapped_column(server_default=func.now(), onupdate=func.now())
