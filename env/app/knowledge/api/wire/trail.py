"""
Owns the shapes of invoices, audit entries and events.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field

from knowledge.api.wire.values import In, Metadata, Name, Out

__all__ = ["AuditEntryOut", "EventOut", "InvoiceIn", "InvoiceOut"]


class InvoiceIn(In):
    """
    An invoice to issue.
    """

    description: Name
    amount_cents: Annotated[int, Field(ge=1, le=10**12)]


class InvoiceOut(Out):
    """
    An invoice and its number.
    """

    id: int
    number: int
    billed_to: int
    description: str
    amount_cents: int
    created_at: datetime


class AuditEntryOut(Out):
    """
    Who did what to which object.
    """

    id: int
    actor_id: int | None
    action: str
    subject: str
    details: Metadata
    created_at: datetime


class EventOut(Out):
    """
    How the service was used.
    """

    id: int
    user_id: int | None
    kind: str
    label: str
    payload: Metadata
    occurred_at: datetime
