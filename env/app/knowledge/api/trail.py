"""
Owns the endpoints of what happened: the audit log, and events. For administrators.
"""

from __future__ import annotations

from fastapi import APIRouter
from sqlalchemy import select

from knowledge.api.access import Admin, TenantSession
from knowledge.api.paging import read_page
from knowledge.api.wire.trail import AuditEntryOut, EventOut
from knowledge.api.wire.values import Limit, Page, PageStart
from knowledge.models import AuditEntry, Event

__all__ = ["router"]

router = APIRouter(tags=["trail"], responses={401: {}, 403: {}})


@router.get("/audit-log")
def list_audit_log(
    _caller: Admin, session: TenantSession, after: PageStart = 0, limit: Limit = 50
) -> Page[AuditEntryOut]:
    """
    List who did what, in the order of ids.
    """
    return read_page(session, select(AuditEntry), model=AuditEntry, out=AuditEntryOut, after=after, limit=limit)


@router.get("/events")
def list_events(_caller: Admin, session: TenantSession, after: PageStart = 0, limit: Limit = 50) -> Page[EventOut]:
    """
    List how the service was used, in the order of ids.
    """
    return read_page(session, select(Event), model=Event, out=EventOut, after=after, limit=limit)
