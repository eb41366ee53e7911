"""
Owns the faults of who is counted, what is exempt, and what a refusal says.
"""

from __future__ import annotations

from playbook.limits.subjects import ALL, BY_ADDRESS, PLANS, STORE
from playbook.proof.sabotage import CodeEdit, Sabotage, SwitchOff
from playbook.stack.protocol import Edit

__all__ = ["REFUSING"]

REFUSING = (
    Sabotage(
        name="limits-refusal-raised",
        title="The refusal is an exception in middleware, so the client gets 500",
        phase="50",
        protection="refusal",
        mechanism="switch off",
        fault=SwitchOff("limits_answered"),
        kills={"limits.refusal.status": ALL, "limits.retry-after.truthful": ALL, **PLANS, **STORE},
        profile="standard",
    ),
    Sabotage(
        name="limits-exempt-by-substring",
        title="Whatever has /health in its path is exempt, and nothing else",
        phase="50",
        protection="exempt routes",
        mechanism="switch off",
        fault=SwitchOff("limits_exempt_exactly"),
        kills={"limits.exempt.exact": ("GET /health", "GET /version")},
        profile="standard",
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
        profile="standard",
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
)
