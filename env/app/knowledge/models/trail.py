"""
Owns the mapping of what happened: the audit log and the events. Rows are added, never changed.
"""

from __future__ import annotations

from datetime import datetime

from pydantic import JsonValue
from sqlalchemy import FetchedValue, ForeignKey, func
from sqlalchemy.orm import Mapped, mapped_column

from knowledge.models.row import Row, Table

__all__ = ["AuditEntry", "Event"]


class AuditEntry(Row):
    """
    Who did what to which object; no actor where the system did it.
    """

    __tablename__ = "audit_log"

    actor_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    action: Mapped[str]
    subject: Mapped[str]
    details: Mapped[dict[str, JsonValue]] = mapped_column(server_default="{}")


class Event(Table):
    """
    How the service is used; partitioned by month.
    """

    __tablename__ = "events"

    id: Mapped[int] = mapped_column(server_default=FetchedValue(), primary_key=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    kind: Mapped[str]
    label: Mapped[str] = mapped_column(server_default="")
    payload: Mapped[dict[str, JsonValue]] = mapped_column(server_default="{}")
    occurred_at: Mapped[datetime] = mapped_column(server_default=func.now())
