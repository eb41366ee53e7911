"""
Owns the seeded rows of the audit log and the events. A few were left by the system: they belong to no tenant.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta

from knowledge.seed.words import TOPICS
from knowledge.seed.world import BEGINNING, Row, World

__all__ = ["make_audit_log", "make_events"]

ACTIONS = ("login", "create", "change", "delete", "resolved")
KINDS = ("documents.searched", "documents.exported", "workflow.run", "page.opened")
EVENTS_SPAN = timedelta(days=120)
"""From January into April 2025: three monthly partitions and the default one."""


def make_audit_log(world: World) -> Iterator[Row]:
    """
    Give id, actor_id, action, subject, details, created_at.
    """
    random = world.random("audit_log")
    times = world.times(random)
    users = world.members("users")
    nothing = json.dumps({})
    for row_id, tenant_id in enumerate(world.owners("audit_log"), start=1):
        if world.is_systems("audit_log", row_id):
            yield (row_id, None, "maintenance", "system", nothing, times()[0])
            continue
        actor_id = random.choice(users[tenant_id])
        subject = f"users/{actor_id} · {world.canary(tenant_id)}"
        yield (row_id, actor_id, random.choice(ACTIONS), subject, nothing, times()[0])


def make_events(world: World) -> Iterator[Row]:
    """
    Give id, user_id, kind, label, payload, occurred_at; in the order of time, as such a table grows.
    """
    random = world.random("events")
    users = world.members("users")
    step = EVENTS_SPAN / world.profile.rows["events"]
    for row_id, tenant_id in enumerate(world.owners("events"), start=1):
        occurred_at = (BEGINNING + row_id * step).isoformat()
        if world.is_systems("events", row_id):
            yield (row_id, None, "system.started", "", "{}", occurred_at)
            continue
        label = f"{random.choice(TOPICS)} {world.canary(tenant_id)}"
        payload = f'{{"duration_ms": {int(random.random() * 2000)}}}'
        yield (row_id, random.choice(users[tenant_id]), random.choice(KINDS), label, payload, occurred_at)
