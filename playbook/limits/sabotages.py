"""
Owns the sabotages of phase 50: each takes one protection of the reference service's limiter away.
"""

from __future__ import annotations

from playbook.limits.blind import BLIND
from playbook.limits.counting_faults import COUNTING
from playbook.limits.refusing_faults import REFUSING
from playbook.limits.subjects import ALL, STORE
from playbook.proof.sabotage import CodeEdit, Sabotage, SwitchOff
from playbook.stack.protocol import Edit

__all__ = ["SABOTAGES"]

WITHOUT_STORE = (
    Sabotage(
        name="limits-store-unbounded",
        title="The store's errors and silences are the client's",
        phase="50",
        protection="store's absence",
        mechanism="switch off",
        fault=SwitchOff("limits_store_bounded"),
        kills=STORE,
        profile="standard",
    ),
    Sabotage(
        name="limits-fail-open",
        title="Without the store everything is let through",
        phase="50",
        protection="store's absence",
        mechanism="fail open in code",
        fault=CodeEdit(
            Edit(
                path="knowledge/rate_limits/counting.py",
                old="return await self._local.admit(rules)",
                new="return Verdict(admitted=True)",
            )
        ),
        kills=STORE,
        profile="standard",
    ),
    Sabotage(
        name="limits-no-time-out",
        title="A store that hangs is waited for",
        phase="50",
        protection="store's absence",
        mechanism="time-out raised in code",
        fault=CodeEdit(
            Edit(
                path="knowledge/rate_limits/counting.py",
                old="STORE_TIMEOUT_S = 0.5",
                new="STORE_TIMEOUT_S = 3600.0",
            )
        ),
        kills={"limits.store.hung": ALL},
        profile="standard",
    ),
)

SPENDING = (
    Sabotage(
        name="ai-cap-looked-at",
        title="Spending is looked at before the call and written after it",
        phase="50",
        protection="spending cap",
        mechanism="switch off",
        fault=SwitchOff("ai_cap_atomic"),
        kills={"limits.cost.capped": ("ai",)},
        profile="standard",
    ),
    Sabotage(
        name="ai-spending-given-back",
        title="What a call cost is given back like what it did not cost (AC-7)",
        phase="50",
        protection="spending cap",
        mechanism="nothing recorded in code",
        fault=CodeEdit(
            Edit(
                path="knowledge/ai_budget.py",
                old="        unspent = call.highest_cost_microusd - completion.cost_microusd",
                new="        unspent = call.highest_cost_microusd",
            )
        ),
        kills={"limits.cost.capped": ("ai",)},
        profile="standard",
    ),
    Sabotage(
        name="ai-cap-says-forbidden",
        title="Over the cap the answer is 403, like a lost permission (AC-7)",
        phase="50",
        protection="spending cap",
        mechanism="another status in code",
        fault=CodeEdit(
            Edit(
                path="knowledge/api/failures.py",
                old="    CapReachedError: (status.HTTP_429_TOO_MANY_REQUESTS,",
                new="    CapReachedError: (status.HTTP_403_FORBIDDEN,",
            )
        ),
        kills={"limits.cost.capped": ("ai",)},
        profile="standard",
    ),
)

SABOTAGES: tuple[Sabotage, ...] = (*COUNTING, *REFUSING, *WITHOUT_STORE, *SPENDING, *BLIND)
