"""
Owns what a user may spend on the model in a month: the cap is the plan's, and a call that would pass it is refused.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date

from sqlalchemy import ScalarSelect, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from knowledge.language_model import Completion
from knowledge.models import AiUsage, Plan, Tenant, User
from knowledge.switches import Switches

__all__ = ["Call", "CapReachedError", "Spend", "choose_spending"]


class CapReachedError(PermissionError):
    """
    The call would pass the month's cap.
    """


@dataclass(frozen=True, slots=True)
class Call:
    """
    One call of the model: for whom, in which month, at most at which cost, and how it is made.

    `transaction` opens a transaction of the user's tenant; none is open while the model is waited for.
    """

    user_id: int
    month: date
    highest_cost_microusd: int
    transaction: Callable[[], AbstractContextManager[Session]]
    make: Callable[[], Completion]


Spend = Callable[[Call], Completion]
"""Makes the call within the cap. Raises CapReachedError without having made it."""


def _cap(user_id: int) -> ScalarSelect[int]:
    return (
        select(Plan.ai_cap_microusd)
        .join(Tenant, Tenant.plan == Plan.code)
        .join(User, User.tenant_id == Tenant.id)
        .where(User.id == user_id)
        .scalar_subquery()
    )


def _add_month(session: Session, call: Call) -> None:
    session.execute(insert(AiUsage).values(user_id=call.user_id, month=call.month).on_conflict_do_nothing())


def _add(
    session: Session, call: Call, *, cost_microusd: int, tokens: int = 0, requests: int = 0, cap: bool = False
) -> bool:
    """Add to the month in one statement, whose row lock puts calls at the same time in a row; tell whether it fit."""
    statement = (
        update(AiUsage)
        .where(AiUsage.user_id == call.user_id, AiUsage.month == call.month)
        .values(
            cost_microusd=AiUsage.cost_microusd + cost_microusd,
            tokens=AiUsage.tokens + tokens,
            requests=AiUsage.requests + requests,
            updated_at=func.now(),
        )
        .returning(AiUsage.id)
    )
    if cap:
        statement = statement.where(AiUsage.cost_microusd + cost_microusd <= _cap(call.user_id))
    return session.execute(statement).one_or_none() is not None


def reserve_and_settle(call: Call) -> Completion:
    """
    Reserve the highest cost, make the call, then give back what it did not cost; all of it when the call failed.
    """
    with call.transaction() as session:
        _add_month(session, call)
        if not _add(session, call, cost_microusd=call.highest_cost_microusd, cap=True):
            raise CapReachedError
    try:
        completion = call.make()
    except BaseException:
        with call.transaction() as session:
            _add(session, call, cost_microusd=-call.highest_cost_microusd)
        raise
    with call.transaction() as session:
        unspent = call.highest_cost_microusd - completion.cost_microusd
        _add(session, call, cost_microusd=-unspent, tokens=completion.tokens, requests=1)
    return completion


def look_and_write(call: Call) -> Completion:
    """
    Weak: look at what is spent, make the call, write down the sum. Calls at the same time see the same sum.
    """
    with call.transaction() as session:
        _add_month(session, call)
        cap = session.scalar(select(_cap(call.user_id))) or 0
        usage = session.scalars(
            select(AiUsage).where(AiUsage.user_id == call.user_id, AiUsage.month == call.month)
        ).one()
    if usage.cost_microusd >= cap:
        raise CapReachedError
    completion = call.make()
    with call.transaction() as session:
        usage.cost_microusd += completion.cost_microusd
        usage.tokens += completion.tokens
        usage.requests += 1
        session.add(usage)
    return completion


def choose_spending(switches: Switches) -> Spend:
    """
    Choose the form by `ai_cap_atomic`.
    """
    return reserve_and_settle if switches.ai_cap_atomic else look_and_write
