"""
Owns how much data a profile has and how it is spread: one tenant holds half, one nothing, one is suspended.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["PROFILES", "Profile", "share_out"]


@dataclass(frozen=True, slots=True)
class Profile:
    """
    How many rows each table gets, and how many of the trail's rows the system left, which belong to no tenant.
    """

    rows: Mapping[str, int]
    system_rows: int

    @property
    def tenants(self) -> int:
        """How many tenants there are."""
        return self.rows["tenants"]

    @property
    def empty_tenant(self) -> int:
        """The id of the tenant that has an administrator and nothing else."""
        return self.tenants - 1

    @property
    def suspended_tenant(self) -> int:
        """The id of the tenant that may not log in; it has rows like any other."""
        return self.tenants


TABLES = (
    "tenants", "users", "api_keys", "knowledge_bases", "documents", "uploads", "threads", "posts", "workflows",
    "workflow_runs", "ai_usage", "invoices", "audit_log", "events",
)  # fmt: skip


def _profile(counts: str, *, system_rows: int) -> Profile:
    return Profile(dict(zip(TABLES, map(int, counts.split()), strict=True)), system_rows)


PROFILES = {
    "tiny": _profile("4 16 8 12 60 6 12 40 6 20 24 10 40 60", system_rows=2),
    "quick": _profile("40 800 400 800 8000 400 2500 10000 300 3000 2400 460 6000 15000", system_rows=20),
    "standard": _profile(
        "40 8000 4000 8000 120000 5000 50000 200000 4000 80000 48000 6000 120000 347000", system_rows=200
    ),
}


def share_out(total: int, profile: Profile) -> dict[int, int]:
    """
    Share `total` rows out over the tenants' ids.

    Half goes to the first, nothing to the empty one, the rest by rank (1, 1/2, 1/3 …): at least one each; the first
    takes what rounding leaves.
    """
    others = [tenant for tenant in range(2, profile.tenants + 1) if tenant != profile.empty_tenant]
    scale = sum(1 / rank for rank in range(1, len(others) + 1))
    counts = {tenant: max(1, int(total / 2 / rank / scale)) for rank, tenant in enumerate(others, start=1)}
    return {1: total - sum(counts.values()), profile.empty_tenant: 0, **counts}
