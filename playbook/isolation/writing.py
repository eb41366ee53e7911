"""
Owns the checks about writing rows: insert, update, move, delete and reference, each tenant against its neighbour.
"""

from __future__ import annotations

from collections.abc import Iterator

from playbook.isolation.duels import declared_hops, duels, try_delete, try_insert, try_move, try_refer, try_update
from playbook.proof.check import Finding, check
from playbook.proof.scene import Scene
from playbook.tenancy.relations import child_relations, tenant_relations

__all__ = ["WRITING_CHECKS"]


def _grandchildren(scene: Scene) -> list[str]:
    """
    List the relations that, as declared, hang on a parent which is not the root.
    """
    return [name for name in child_relations(scene) if declared_hops(scene, name) > 1]


@check(
    "rows.insert.cross-tenant-denied",
    title="No tenant inserts a row for another",
    phase="30",
    severity="critical",
    why="A row put under another customer shows on its pages (MT-4).",
    how="As each tenant of a ring, insert a copy of its neighbour's row under a new key; the superuser looks for it.",
    remedy="A policy with WITH CHECK for INSERT.",
    population=tenant_relations,
    on="copy",
    reach="rows",
)
def insert_denied(scene: Scene) -> Iterator[Finding]:
    """Insert for the neighbour."""
    yield from duels(scene, try_insert)


@check(
    "rows.update.cross-tenant-denied",
    title="No tenant changes another's rows",
    phase="30",
    severity="critical",
    why="A changed row of another customer is a breach that nobody sees (MT-4).",
    how="As each tenant of a ring, change a planted row of its neighbour by key, then every row with no condition.",
    remedy="A policy with USING for UPDATE.",
    population=tenant_relations,
    on="copy",
    reach="rows",
)
def update_denied(scene: Scene) -> Iterator[Finding]:
    """Change the neighbour's rows."""
    yield from duels(scene, try_update)


@check(
    "rows.move.cross-tenant-denied",
    title="No tenant moves its row to another",
    phase="30",
    severity="high",
    why="A row that may leave can also be planted (MT-4).",
    how="As each tenant of a ring, give a planted row of its own the neighbour's key and parents, by key, at a cursor.",
    remedy="A policy with WITH CHECK for UPDATE, not USING alone with a wider check.",
    population=child_relations,
    on="copy",
    reach="rows",
)
def move_denied(scene: Scene) -> Iterator[Finding]:
    """Move an own row to the neighbour."""
    yield from duels(scene, try_move, hops=1)


@check(
    "rows.delete.cross-tenant-denied",
    title="No tenant deletes another's rows",
    phase="30",
    severity="critical",
    why="One statement without a condition must not empty another customer's table (MT-4).",
    how="As each tenant of a ring, delete a planted row of its neighbour by key, then all rows with no condition.",
    remedy="A policy with USING for DELETE.",
    population=tenant_relations,
    on="copy",
    reach="rows",
)
def delete_denied(scene: Scene) -> Iterator[Finding]:
    """Delete the neighbour's rows."""
    yield from duels(scene, try_delete)


@check(
    "rows.reference.cross-tenant-denied",
    title="No tenant hangs its row on another's parent",
    phase="30",
    severity="high",
    why="Foreign keys are checked without row security: a simple one tells that another's row exists, and ties to it.",
    how="As each tenant of a ring, insert an own row whose parent is the neighbour's; the superuser looks for it.",
    remedy="A foreign key of (tenant key, parent) to (tenant key, id).",
    population=_grandchildren,
    on="copy",
    reach="rows",
)
def reference_denied(scene: Scene) -> Iterator[Finding]:
    """Refer to the neighbour's parent."""
    yield from duels(scene, try_refer, hops=2)


WRITING_CHECKS = (insert_denied, update_denied, move_denied, delete_denied, reference_denied)
