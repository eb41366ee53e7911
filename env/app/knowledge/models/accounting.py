"""
Owns the mapping of what is owed: invoices.
"""

from __future__ import annotations

from sqlalchemy import FetchedValue, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from knowledge.models.row import Changing

__all__ = ["Invoice"]


class Invoice(Changing):
    """
    A bill to a user of the tenant. The database numbers it, how is the schema's concern.
    """

    __tablename__ = "invoices"

    billed_to: Mapped[int] = mapped_column(ForeignKey("users.id"))
    number: Mapped[int] = mapped_column(server_default=FetchedValue())
    description: Mapped[str]
    amount_cents: Mapped[int]
