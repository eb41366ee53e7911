"""
Owns the names of what is declared, as the faults name it by hand: the rehearsed limits, and those of the plans.
"""

from __future__ import annotations

__all__ = ["ALL", "BY_ADDRESS", "PLANS", "STORE"]

ALL = ("login", "register", "checkout", "trial", "moderate", "reads")
BY_ADDRESS = ("login", "register", "moderate", "reads")
STORE = {"limits.store.dead": ALL, "limits.store.hung": ALL}

PLANS = {
    "limits.plans.enforced": (
        "plan-d address",
        "plan-e auth",
        "plan-e ai",
        "plan-e write",
        "plan-e read",
    )
}
"""Of the two files that are loaded under a fault."""
