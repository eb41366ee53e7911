"""
Owns the faults of counting: how many, how long, together, at once.
"""

from __future__ import annotations

from playbook.limits.subjects import ALL, PLANS, STORE
from playbook.proof.sabotage import CodeEdit, Sabotage, SwitchOff
from playbook.stack.protocol import Edit

__all__ = ["COUNTING"]

COUNTING = (
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
        kills={"limits.instances.shared": ALL, "limits.windows.kept": ALL, **PLANS, **STORE},
        profile="standard",
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
        kills={"limits.count.exact": ALL, "limits.burst.exact": ALL, "limits.instances.shared": ALL, **PLANS, **STORE},
        profile="standard",
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
        kills={"limits.windows.kept": ALL, **PLANS},
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
)
