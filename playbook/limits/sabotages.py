"""
Owns the sabotages of phase 50: each takes one protection of the reference service's limiter away.
"""

from __future__ import annotations

from playbook.limits.blind import BLIND
from playbook.proof.sabotage import CodeEdit, Sabotage, SwitchOff
from playbook.stack.protocol import Edit

__all__ = ["SABOTAGES"]

ALL = ("login", "register", "checkout", "trial", "moderate", "reads")
BY_ADDRESS = ("login", "register", "moderate", "reads")
STORE = {"limits.store.dead": ALL, "limits.store.hung": ALL}

SABOTAGES = (
    Sabotage(
        name="limits-race",
        title="The limiter looks, decides and counts in separate steps",
        phase="50",
        protection="atomic count",
        mechanism="get, then set, in code",
        fault=CodeEdit(
            Edit(
                path="knowledge/rate_limits/counting.py",
                old="            if not await self._windows.hit(_item(rule), rule.identity):",
                new="            free = await self._windows.test(_item(rule), rule.identity)\n"
                "            await self._windows.hit(_item(rule), rule.identity)\n"
                "            if not free:",
            )
        ),
        kills={"limits.burst.exact": ALL},
    ),
    Sabotage(
        name="limits-per-process",
        title="Each process counts its own",
        phase="50",
        protection="shared count",
        mechanism="switch off",
        fault=SwitchOff("limits_shared"),
        kills={"limits.instances.shared": ALL, "limits.windows.kept": ALL, **STORE},
    ),
    Sabotage(
        name="limits-refusal-raised",
        title="The refusal is an exception in middleware, so the client gets 500",
        phase="50",
        protection="refusal",
        mechanism="switch off",
        fault=SwitchOff("limits_answered"),
        kills={"limits.refusal.status": ALL, "limits.retry-after.truthful": ALL, **STORE},
    ),
    Sabotage(
        name="limits-exempt-by-substring",
        title="Whatever has /health in its path is exempt, and nothing else",
        phase="50",
        protection="exempt routes",
        mechanism="switch off",
        fault=SwitchOff("limits_exempt_exactly"),
        kills={"limits.exempt.exact": ("GET /health", "GET /version")},
    ),
    Sabotage(
        name="limits-exempt-by-prefix",
        title="What begins like an exempt path is exempt",
        phase="50",
        protection="exempt routes",
        mechanism="prefix compared in code",
        fault=CodeEdit(
            Edit(
                path="knowledge/rate_limits/rate_limits.py",
                old="        if self.exempt(path):",
                new='        if self.exempt(path) or path.startswith("/health"):',
            )
        ),
        kills={"limits.exempt.exact": ("GET /health",)},
        profile="standard",
    ),
    Sabotage(
        name="limits-leftmost-forwarded",
        title="The leftmost forwarded address is believed",
        phase="50",
        protection="caller's key",
        mechanism="switch off",
        fault=SwitchOff("limits_proxy_aware"),
        kills={"limits.key.unspoofable": BY_ADDRESS},
    ),
    Sabotage(
        name="limits-network-as-key",
        title="A whole network (/24) is one caller",
        phase="50",
        protection="caller's key",
        mechanism="address cut in code",
        fault=CodeEdit(
            Edit(
                path="knowledge/rate_limits/identity.py",
                old="    return str(parsed)",
                new="    return str(ipaddress.ip_network((parsed, 24), strict=False))",
            )
        ),
        kills={"limits.key.neighbour-unaffected": BY_ADDRESS},
    ),
    Sabotage(
        name="limits-off-by-one",
        title="One request more than declared is let through",
        phase="50",
        protection="number",
        mechanism="number changed in code",
        fault=CodeEdit(
            Edit(
                path="knowledge/rate_limits/rate_limits.py",
                old="window.requests, window.seconds)",
                new="window.requests + 1, window.seconds)",
            )
        ),
        kills={"limits.count.exact": ALL, "limits.burst.exact": ALL, "limits.instances.shared": ALL, **STORE},
    ),
    Sabotage(
        name="limits-window-short",
        title="No window is longer than half a minute",
        phase="50",
        protection="window",
        mechanism="seconds capped in code",
        fault=CodeEdit(
            Edit(
                path="knowledge/rate_limits/rate_limits.py",
                old="window.requests, window.seconds)",
                new="window.requests, min(window.seconds, 30))",
            )
        ),
        kills={"limits.windows.kept": ALL},
        profile="standard",
    ),
    Sabotage(
        name="limits-retry-after-absent",
        title="A refusal does not say when to come back",
        phase="50",
        protection="Retry-After",
        mechanism="switch off",
        fault=SwitchOff("limits_retry_after"),
        kills={"limits.retry-after.truthful": ALL},
        profile="standard",
    ),
    Sabotage(
        name="limits-retry-after-floor",
        title="Retry-After is rounded down",
        phase="50",
        protection="Retry-After",
        mechanism="rounding changed in code",
        fault=CodeEdit(Edit(path="knowledge/rate_limits/counting.py", old="math.ceil(reset", new="math.floor(reset")),
        kills={"limits.retry-after.truthful": ALL},
        profile="standard",
    ),
    Sabotage(
        name="limits-retry-after-epoch",
        title="Retry-After is a Unix time",
        phase="50",
        protection="Retry-After",
        mechanism="date for seconds in code",
        fault=CodeEdit(
            Edit(
                path="knowledge/rate_limits/rate_limits.py",
                old="str(verdict.wait_s)",
                new='str(int(__import__("time").time()) + verdict.wait_s)',
            )
        ),
        kills={"limits.retry-after.truthful": ALL},
        profile="standard",
    ),
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
    Sabotage(
        name="ai-cap-looked-at",
        title="Spending is looked at before the call and written after it",
        phase="50",
        protection="spending cap",
        mechanism="switch off",
        fault=SwitchOff("ai_cap_atomic"),
        kills={"limits.cost.capped": ("ai",)},
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
    Sabotage(
        name="limits-keys-renamed",
        title="Harmless: counters have other names in the store",
        phase="50",
        protection="inverted control",
        mechanism="name changed in code",
        fault=CodeEdit(
            Edit(
                path="knowledge/rate_limits/counting.py",
                old="namespace=rule.limit)",
                new='namespace=f"limit-{rule.limit}")',
            )
        ),
        kills={},
        harmless=True,
        profile="standard",
    ),
    *BLIND,
)
