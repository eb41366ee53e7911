"""
Owns the seeded rows of tenants, users and their API keys.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator

from knowledge.seed.words import GIVEN_NAMES, TOPICS
from knowledge.seed.world import Row, World, name_tenant

__all__ = ["make_api_keys", "make_tenants", "make_users"]


def make_tenants(world: World) -> Iterator[Row]:
    """
    Give id, name, slug, plan, status, settings, created_at, updated_at.
    """
    random = world.random("tenants")
    times = world.times(random)
    for tenant_id in range(1, world.profile.tenants + 1):
        slug, name = name_tenant(tenant_id)
        status = "suspended" if tenant_id == world.profile.suspended_tenant else "active"
        plan = "enterprise" if tenant_id == 1 else random.choice(("free", "team"))
        settings = json.dumps({"canary": world.canary(tenant_id), "locale": random.choice(("en", "de", "ja"))})
        yield (tenant_id, name, slug, plan, status, settings, *times())


def make_users(world: World) -> Iterator[Row]:
    """
    Give id, tenant_id, email, full_name, password_hash, role, created_at, updated_at.

    The hash follows the password that the stack was given, so digests that compare stacks leave its column out.
    """
    random = world.random("users")
    times = world.times(random)
    seen: dict[int, int] = {}
    for user_id, tenant_id in enumerate(world.owners("users"), start=1):
        place = seen[tenant_id] = seen.get(tenant_id, 0) + 1
        login, role = {1: ("admin", "admin"), 2: ("moderator", "moderator")}.get(
            place, (f"member{place - 2}", "member")
        )
        full_name = f"{random.choice(GIVEN_NAMES)} {world.canary(tenant_id)}"
        email = f"{login}@{name_tenant(tenant_id)[0]}.example"
        yield (user_id, tenant_id, email, full_name, world.password_hash, role, *times())


def make_api_keys(world: World) -> Iterator[Row]:
    """
    Give id, user_id, name, secret_hash, revoked_at, created_at, updated_at.

    The hashes are of no secret that anybody knows: a seeded key opens nothing.
    """
    random = world.random("api_keys")
    times = world.times(random)
    users = world.members("users")
    for row_id, tenant_id in enumerate(world.owners("api_keys"), start=1):
        name = f"{random.choice(TOPICS)} {world.canary(tenant_id)}"
        secret_hash = hashlib.sha256(f"{world.seed}/api_keys/{row_id}".encode()).hexdigest()
        created_at, updated_at = times()
        revoked_at = random.choice((None, None, updated_at))
        yield (row_id, random.choice(users[tenant_id]), name, secret_hash, revoked_at, created_at, updated_at)
