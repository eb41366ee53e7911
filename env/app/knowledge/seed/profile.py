"""
Owns how much data a profile has and how it is spread: one tenant holds half, one nothing, one is suspended.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["PROFILES", "Profile", "share_out"]


@dataclass(frozen=True, slots=True)
class Profile:
    """
    How many rows there are in all.
    """

    tenants: int
    users: int
    knowledge_bases: int
    documents: int

    @property
    def empty_tenant(self) -> int:
        """The id of the tenant that has an administrator and nothing else."""
        return self.tenants - 1

    @property
    def suspended_tenant(self) -> int:
        """The id of the tenant that may not log in; it has rows like any other."""
        return self.tenants


PROFILES = {
    "tiny": Profile(tenants=4, users=16, knowledge_bases=12, documents=60),
    "quick": Profile(tenants=12, users=240, knowledge_bases=240, documents=1_000),
    "standard": Profile(tenants=40, users=4_000, knowledge_bases=4_000, documents=100_000),
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
