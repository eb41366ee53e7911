"""
Owns writing down what happens: the audit log for who did what, events for how the service is used.

Both are written in the transaction of what they tell about: it happened and is told, or neither.
"""

from __future__ import annotations

from pydantic import JsonValue
from sqlalchemy.orm import Session

from knowledge.models import AuditEntry, Event

__all__ = ["record_action", "record_event"]


def record_action(session: Session, *, actor_id: int, action: str, subject: str, **details: JsonValue) -> None:
    """
    Record that a user did something to an object. Details hold ids and words of ours, no content.
    """
    session.add(AuditEntry(actor_id=actor_id, action=action, subject=subject, details=dict(details)))


def record_event(session: Session, *, user_id: int, kind: str, **payload: JsonValue) -> None:
    """
    Record that a user used something.
    """
    session.add(Event(user_id=user_id, kind=kind, payload=dict(payload)))
