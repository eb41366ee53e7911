"""
Owns the seeded rows of workflows, their runs, what the model cost, and invoices.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from knowledge.seed.words import SENTENCES, TOPICS
from knowledge.seed.world import Row, World

__all__ = ["make_ai_usage", "make_invoices", "make_workflow_runs", "make_workflows"]

STEPS = json.dumps([{"do": "upper"}, {"do": "append", "with": " ✅"}])


def make_workflows(world: World) -> Iterator[Row]:
    """
    Give id, owner_id, name, steps, created_at, updated_at.
    """
    random = world.random("workflows")
    times = world.times(random)
    users = world.members("users")
    for row_id, tenant_id in enumerate(world.owners("workflows"), start=1):
        name = f"{random.choice(TOPICS)} {world.canary(tenant_id)}"
        yield (row_id, random.choice(users[tenant_id]), name, STEPS, *times())


def make_workflow_runs(world: World) -> Iterator[Row]:
    """
    Give id, workflow_id, status, input, output, created_at, updated_at.
    """
    random = world.random("workflow_runs")
    times = world.times(random)
    workflows = world.members("workflows")
    for row_id, tenant_id in enumerate(world.owners("workflow_runs"), start=1):
        said = f"{random.choice(SENTENCES)} {world.canary(tenant_id)}"
        yield (row_id, random.choice(workflows[tenant_id]), "succeeded", said, f"{said.upper()} ✅", *times())


def make_ai_usage(world: World) -> Iterator[Row]:
    """
    Give id, user_id, month, requests, tokens, cost_microusd, created_at, updated_at.

    Month after month of 2025 for each user in turn, since a user has a month once; all below the lowest cap.
    """
    random = world.random("ai_usage")
    times = world.times(random)
    owners = world.owners("users")
    users = [row_id for row_id, tenant in enumerate(owners, start=1) if tenant != world.profile.empty_tenant]
    for number in range(world.profile.rows["ai_usage"]):
        months, place = divmod(number, len(users))
        requests = 1 + int(random.random() * 40)
        tokens = requests * (50 + int(random.random() * 500))
        yield (number + 1, users[place], f"2025-{months + 1:02}-01", requests, tokens, tokens * 20, *times())


def make_invoices(world: World) -> Iterator[Row]:
    """
    Give id, billed_to, number, description, amount_cents, created_at, updated_at. The number is of one sequence.
    """
    random = world.random("invoices")
    times = world.times(random)
    users = world.members("users")
    for row_id, tenant_id in enumerate(world.owners("invoices"), start=1):
        description = f"{random.choice(TOPICS)} {world.canary(tenant_id)}"
        amount_cents = 100 + int(random.random() * 100_000)
        yield (row_id, random.choice(users[tenant_id]), row_id, description, amount_cents, *times())
