"""
Owns the endpoints of the model: asking it, and what asking has cost.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from functools import partial

from fastapi import APIRouter
from sqlalchemy import select

from knowledge.ai_budget import Call
from knowledge.api.access import CurrentCaller, CurrentService, TenantSession
from knowledge.api.wire.work import CompletionOut, Prompt, UsageOut
from knowledge.models import AiUsage

__all__ = ["router"]

router = APIRouter(prefix="/ai", tags=["AI"], responses={401: {}, 403: {}})


def _this_month() -> date:
    return datetime.now(UTC).date().replace(day=1)


@router.post("/complete", responses={429: {}})
def complete(wanted: Prompt, service: CurrentService, caller: CurrentCaller) -> CompletionOut:
    """
    Ask the model, within the caller's cap for this month.
    """
    call = Call(
        user_id=caller.user_id,
        month=_this_month(),
        highest_cost_microusd=service.model.price(wanted.prompt, wanted.max_tokens),
        transaction=partial(service.serve, caller.tenant_id),
        make=partial(service.model.complete, wanted.prompt, wanted.max_tokens),
    )
    return CompletionOut.model_validate(service.spend(call))


@router.get("/usage")
def list_usage(session: TenantSession, caller: CurrentCaller) -> list[UsageOut]:
    """
    List what the caller's months came to, the newest first.
    """
    statement = select(AiUsage).where(AiUsage.user_id == caller.user_id).order_by(AiUsage.month.desc())
    return [UsageOut.model_validate(row) for row in session.scalars(statement)]
