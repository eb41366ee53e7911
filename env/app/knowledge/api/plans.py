"""
Owns the endpoint of plans, which everybody may read.
"""

from __future__ import annotations

from fastapi import APIRouter
from sqlalchemy import select

from knowledge.api.access import UnboundSession
from knowledge.api.wire.people import PlanOut
from knowledge.models import Plan

__all__ = ["router"]

router = APIRouter(tags=["plans"])


@router.get("/plans")
def list_plans(session: UnboundSession) -> list[PlanOut]:
    """
    List what can be bought, cheapest first.
    """
    return [PlanOut.model_validate(plan) for plan in session.scalars(select(Plan).order_by(Plan.price_cents))]
