"""
Owns the faults of the limiter written from the requirements RL-1 to RL-7 alone.

The faults stay as they were first written; what each turns red was filled in after its first try. Of six one is not
here, because no check of this phase sees it yet: a request that is refused, and carried out all the same. The last was
written when the checks were known, and still missed at its first try: a neighbour was asked by its address alone.
"""

from __future__ import annotations

from playbook.limits.subjects import ALL
from playbook.proof.sabotage import CodeEdit, Sabotage
from playbook.stack.protocol import Edit

__all__ = ["BLIND"]

BLIND: tuple[Sabotage, ...] = (
    Sabotage(
        name="blind-longer-window-dropped",
        title="Of two windows only the shorter is enforced (RL-1)",
        phase="50",
        protection="second window",
        mechanism="first window taken in code",
        fault=CodeEdit(
            Edit(
                path="knowledge/rate_limits/rate_limits.py",
                old="for window in limit.windows\n        ]",
                new="for window in limit.windows[:1]\n        ]",
            )
        ),
        kills={"limits.windows.kept": ("login", "register", "checkout", "reads")},
        profile="standard",
        blind=True,
    ),
    Sabotage(
        name="blind-never-back-to-the-store",
        title="After the store failed once, each instance counts alone for ever (RL-7)",
        phase="50",
        protection="store's return",
        mechanism="fall-back kept in code",
        fault=CodeEdit(
            Edit(
                path="knowledge/rate_limits/counting.py",
                old="        if failed and self._clock() < self._ask_at:",
                new="        if failed:",
            )
        ),
        kills={"limits.store.dead": ALL, "limits.store.hung": ALL},
        profile="standard",
        blind=True,
    ),
    Sabotage(
        name="blind-agent-in-the-key",
        title="The address is counted together with the User-Agent (RL-6)",
        phase="50",
        protection="caller's key",
        mechanism="client's header added to the key in code",
        fault=CodeEdit(
            Edit(
                path="knowledge/rate_limits/identity.py",
                old='        return f"ip={self.address(scope, headers)}"',
                new='        return f"ip={self.address(scope, headers)}" + headers.get("user-agent", "")',
            )
        ),
        kills={"limits.key.unspoofable": ("login", "register", "moderate", "reads")},
        profile="standard",
        blind=True,
    ),
    Sabotage(
        name="blind-come-back-at-once",
        title="Retry-After is always one second (RL-5)",
        phase="50",
        protection="Retry-After",
        mechanism="constant in code",
        fault=CodeEdit(
            Edit(
                path="knowledge/rate_limits/counting.py",
                old="        return max(waits)",
                new="        return min(waits)",
            )
        ),
        kills={"limits.retry-after.truthful": ALL},
        profile="standard",
        blind=True,
    ),
    Sabotage(
        name="blind-address-alone",
        title="Per tenant and address is per address: the tenant is left out (RL-6)",
        phase="50",
        protection="caller's key",
        mechanism="last part of the key taken in code",
        fault=CodeEdit(
            Edit(
                path="knowledge/rate_limits/identity.py",
                old='for part in key.split("+"))',
                new='for part in key.split("+")[-1:])',
            )
        ),
        kills={"limits.key.neighbour-unaffected": ("reads",)},
        profile="standard",
        blind=True,
    ),
)
