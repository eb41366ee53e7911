"""
Owns the names of what is declared, as the faults name it by hand: the rehearsed limits, and those of the plans.
"""

from __future__ import annotations

__all__ = ["ALL", "BY_ADDRESS", "PLANS", "STORE", "TWO_WINDOWS"]

ALL = ("login", "register", "checkout", "trial", "moderate", "reads")
BY_ADDRESS = ("login", "register", "moderate", "reads")
STORE = {"limits.store.dead": ALL, "limits.store.hung": ALL}

TWO_WINDOWS = (
    "plan-a api",
    "plan-b login",
    "plan-b register",
    "plan-b refresh",
    "plan-b checkout",
    "plan-b portal",
    "plan-b subscription",
    "plan-c login",
    "plan-c register",
    "plan-c refresh",
)
PLANS = {
    "limits.plans.enforced": (
        "plan-d address",
        "plan-e auth",
        "plan-e ai",
        "plan-e write",
        "plan-e read",
        "plan-b webhook",
        "plan-b trial",
        "plan-b health",
        "plan-b version",
        "plan-c strict",
        "plan-c moderate",
        "plan-c relaxed",
        *TWO_WINDOWS,
    )
}
