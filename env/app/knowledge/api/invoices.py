"""
Owns the endpoints of invoices. For administrators.
"""

from __future__ import annotations

from fastapi import APIRouter, HTTPException, status
from sqlalchemy import select

from knowledge.api.access import Admin, TenantSession
from knowledge.api.paging import read_page
from knowledge.api.wire.trail import InvoiceIn, InvoiceOut
from knowledge.api.wire.values import Limit, Page, PageStart, PathId
from knowledge.models import Invoice
from knowledge.trail import record_action

__all__ = ["router"]

router = APIRouter(prefix="/invoices", tags=["invoices"], responses={401: {}, 403: {}})


@router.get("")
def list_invoices(_caller: Admin, session: TenantSession, after: PageStart = 0, limit: Limit = 50) -> Page[InvoiceOut]:
    """
    List invoices in the order of their ids.
    """
    return read_page(session, select(Invoice), model=Invoice, out=InvoiceOut, after=after, limit=limit)


@router.post("", status_code=status.HTTP_201_CREATED)
def issue_invoice(wanted: InvoiceIn, caller: Admin, session: TenantSession) -> InvoiceOut:
    """
    Issue an invoice to the caller; the database gives it its number.
    """
    invoice = Invoice(billed_to=caller.user_id, description=wanted.description, amount_cents=wanted.amount_cents)
    session.add(invoice)
    session.flush()
    record_action(session, actor_id=caller.user_id, action="issue", subject=f"invoices/{invoice.id}")
    return InvoiceOut.model_validate(invoice)


@router.get("/{invoice_id}", responses={404: {}})
def get_invoice(invoice_id: PathId, _caller: Admin, session: TenantSession) -> InvoiceOut:
    """
    Read one invoice.
    """
    invoice = session.get(Invoice, invoice_id)
    if invoice is None:
        raise HTTPException(status.HTTP_404_NOT_FOUND, "no such invoice")
    return InvoiceOut.model_validate(invoice)
