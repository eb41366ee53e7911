"""
Owns what the rows of all tables agree on: which tenant each row belongs to, what marks its texts, when it was.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from random import Random

from knowledge.seed.profile import Profile, share_out
from knowledge.seed.words import TENANTS

__all__ = ["BEGINNING", "Row", "World", "make_canary", "name_tenant"]

BEGINNING = datetime(2025, 1, 1, tzinfo=UTC)
MOMENTS = 16_384
"""How many points in time the rows share: making one for each row would take as long as all the rest of it."""
MOMENT = timedelta(seconds=1924)  # so that they span a year
EMPTY_TENANTS_USERS = 1

Row = tuple[object, ...]


def make_canary(seed: int, slug: str) -> str:
    """
    Make the tenant's mark, which is in all of its texts: seen by another tenant, it is a leak.
    """
    return f"canary-{slug}-{hashlib.sha256(f'{seed}/{slug}'.encode()).hexdigest()[:12]}"


def name_tenant(tenant_id: int) -> tuple[str, str]:
    """
    Name a tenant: its slug and its name.
    """
    if tenant_id <= len(TENANTS):
        return TENANTS[tenant_id - 1]
    return f"tenant-{tenant_id}", f"Tenant № {tenant_id}"


@cache
def _moments() -> list[str]:
    """Points in time as PostgreSQL reads them, in order; an update may come a year after the creation."""
    return [(BEGINNING + number * MOMENT).isoformat() for number in range(2 * MOMENTS)]


@dataclass(frozen=True, slots=True)
class World:
    """
    One profile and seed. No table's rows depend on the randomness of another's, so each can be made alone.
    """

    profile: Profile
    seed: int
    password_hash: str
    _owners: dict[str, list[int]] = field(default_factory=dict)
    _members: dict[str, dict[int, list[int]]] = field(default_factory=dict)
    _canaries: dict[int, str] = field(default_factory=dict)

    def random(self, purpose: str) -> Random:
        """
        Begin a sequence of random numbers of its own.
        """
        return Random(f"{self.seed}/{purpose}")  # noqa: S311 (data, not secrets)

    def owners(self, table: str) -> list[int]:
        """
        Tell which tenant each row of a table belongs to: scattered, as in a table that grew by use.

        Users alone stand tenant by tenant, and the empty tenant has one.
        """
        if table not in self._owners:
            shares = share_out(self.profile.rows[table], self.profile)
            if table == "users":
                shares[self.profile.empty_tenant] = EMPTY_TENANTS_USERS
            owners = [tenant for tenant in sorted(shares) for _ in range(shares[tenant])]
            if table != "users":
                self.random(f"{table} order").shuffle(owners)
            self._owners[table] = owners
        return self._owners[table]

    def members(self, table: str) -> dict[int, list[int]]:
        """
        Tell the ids of each tenant's rows in a table.
        """
        if table not in self._members:
            ids: dict[int, list[int]] = {}
            for row_id, tenant_id in enumerate(self.owners(table), start=1):
                ids.setdefault(tenant_id, []).append(row_id)
            self._members[table] = ids
        return self._members[table]

    def canary(self, tenant_id: int) -> str:
        """
        Tell a tenant's mark.
        """
        if tenant_id not in self._canaries:
            self._canaries[tenant_id] = make_canary(self.seed, name_tenant(tenant_id)[0])
        return self._canaries[tenant_id]

    def times(self, random: Random) -> Callable[[], tuple[str, str]]:
        """
        Make what gives a time of creation and, up to a year later, one of the last change.
        """
        moments, draw = _moments(), random.random

        def give() -> tuple[str, str]:
            created = int(draw() * MOMENTS)
            return moments[created], moments[created + int(draw() * MOMENTS)]

        return give

    def is_systems(self, table: str, row_id: int) -> bool:
        """
        Tell whether a row of the trail was left by the system, not by a user.
        """
        step = self.profile.rows[table] // self.profile.system_rows
        return row_id % step == 0
