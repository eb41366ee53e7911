"""
Owns the seeded rows: what each table holds, in the order in which it is loaded.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random

from knowledge.seed.profile import Profile, share_out
from knowledge.seed.words import GIVEN_NAMES, SENTENCES, TENANTS, TOPICS

__all__ = ["Rows", "make_canary", "name_tenant"]

BEGINNING = datetime(2025, 1, 1, tzinfo=UTC)
A_YEAR_S = 365 * 24 * 3600
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


@dataclass(frozen=True, slots=True)
class Rows:
    """
    The rows of one profile and seed. Each method can be called alone: no table's rows depend on another's randomness.
    """

    profile: Profile
    seed: int
    password_hash: str

    def _random(self, table: str) -> Random:
        return Random(f"{self.seed}/{table}")  # noqa: S311 (data, not secrets)

    def _owners(self, table: str, total: int) -> list[int]:
        """Which tenant each row of a table belongs to: scattered, as in a table that grew by use."""
        shares = share_out(total, self.profile)
        owners = [tenant for tenant, count in shares.items() for _ in range(count)]
        self._random(f"{table} order").shuffle(owners)
        return owners

    def _times(self, random: Random) -> tuple[datetime, datetime]:
        created = BEGINNING + timedelta(seconds=random.randrange(A_YEAR_S))
        return created, created + timedelta(seconds=random.randrange(A_YEAR_S))

    def _canary(self, tenant_id: int) -> str:
        return make_canary(self.seed, name_tenant(tenant_id)[0])

    def tenants(self) -> Iterator[Row]:
        """Give id, name, slug, plan, status, settings, created_at, updated_at."""
        random = self._random("tenants")
        for tenant_id in range(1, self.profile.tenants + 1):
            slug, name = name_tenant(tenant_id)
            status = "suspended" if tenant_id == self.profile.suspended_tenant else "active"
            plan = "enterprise" if tenant_id == 1 else random.choice(("free", "team"))
            settings = json.dumps({"canary": self._canary(tenant_id), "locale": random.choice(("en", "de", "ja"))})
            yield (tenant_id, name, slug, plan, status, settings, *self._times(random))

    def _user_owners(self) -> list[int]:
        shares = share_out(self.profile.users, self.profile)
        shares[self.profile.empty_tenant] = EMPTY_TENANTS_USERS
        return [tenant for tenant in sorted(shares) for _ in range(shares[tenant])]

    def users(self) -> Iterator[Row]:
        """Give id, tenant_id, email, full_name, password_hash, role, created_at, updated_at."""
        random = self._random("users")
        seen: dict[int, int] = {}
        for user_id, tenant_id in enumerate(self._user_owners(), start=1):
            place = seen[tenant_id] = seen.get(tenant_id, 0) + 1
            login, role = {1: ("admin", "admin"), 2: ("moderator", "moderator")}.get(
                place, (f"member{place - 2}", "member")
            )
            slug, _name = name_tenant(tenant_id)
            full_name = f"{random.choice(GIVEN_NAMES)} {self._canary(tenant_id)}"
            email = f"{login}@{slug}.example"
            yield (user_id, tenant_id, email, full_name, self.password_hash, role, *self._times(random))

    def _by_tenant(self, owners: list[int]) -> dict[int, list[int]]:
        ids: dict[int, list[int]] = {}
        for row_id, tenant_id in enumerate(owners, start=1):
            ids.setdefault(tenant_id, []).append(row_id)
        return ids

    def knowledge_bases(self) -> Iterator[Row]:
        """Give id, owner_id, name, description, created_at, updated_at."""
        random = self._random("knowledge_bases")
        users = self._by_tenant(self._user_owners())
        owners = self._owners("knowledge_bases", self.profile.knowledge_bases)
        for row_id, tenant_id in enumerate(owners, start=1):
            description = f"{random.choice(SENTENCES)} {self._canary(tenant_id)}"
            yield (row_id, random.choice(users[tenant_id]), random.choice(TOPICS), description, *self._times(random))

    def documents(self) -> Iterator[Row]:
        """Give id, knowledge_base_id, title, body, metadata, created_at, updated_at."""
        random = self._random("documents")
        bases = self._by_tenant(self._owners("knowledge_bases", self.profile.knowledge_bases))
        owners = self._owners("documents", self.profile.documents)
        for row_id, tenant_id in enumerate(owners, start=1):
            canary = self._canary(tenant_id)
            title = f"{random.choice(TOPICS)} · {canary}"
            body = " ".join((*random.sample(SENTENCES, k=random.randint(1, 6)), canary))
            metadata = json.dumps(
                {"tags": random.sample(("draft", "hr", "法務", "🔥"), k=2), "pages": random.randint(1, 99)}
            )
            yield (row_id, random.choice(bases[tenant_id]), title, body, metadata, *self._times(random))
