"""
Owns the checks about writing rows: insert, update, move, delete and reference, each tenant against its neighbour.

A write counts as denied when the superuser sees afterwards that nothing happened, whatever the server answered.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from psycopg import Connection, sql
from psycopg.rows import TupleRow
from psycopg.types.json import Jsonb

from playbook.evidence.result import Observation
from playbook.isolation.acting import app, attempt
from playbook.isolation.planting import (
    Shape,
    Values,
    insert_statement,
    make_row,
    planted,
    read_row,
    read_shape,
    remove_row,
)
from playbook.isolation.reading import undecided
from playbook.isolation.truth import Owned, Truth, read_truth, superuser
from playbook.proof.check import Finding, check
from playbook.proof.scene import Scene
from playbook.stack.guard import require_sealed
from playbook.tenancy.relations import child_relations, identifier, need_tenancy, tenant_relations

__all__ = ["WRITING_CHECKS"]


@dataclass(frozen=True, slots=True)
class Duel:
    """
    One acting tenant against its neighbour on one relation.

    `god` is the superuser's connection, `conn` the service's own.
    """

    scene: Scene
    truth: Truth
    god: Connection[TupleRow]
    conn: Connection[TupleRow]
    owned: Owned
    shape: Shape
    actor: str
    victim: str
    number: int

    @property
    def names(self) -> dict[str, sql.Composable]:
        """What statements about the relation are made of."""
        return {
            "relation": identifier(self.shape.relation),
            "pk": sql.Identifier(self.shape.primary_key),
            "text": sql.Identifier(self.shape.free_text or self.shape.primary_key),
        }

    def into(self, tenant: str) -> Values | None:
        """
        Say which columns make a row this tenant's: its key and, where rows hang on a parent, one of its parents.
        """
        tenancy = need_tenancy(self.scene.target)
        changes: Values = {}
        if tenancy.key in self.shape.columns:
            changes[tenancy.key] = _same_type(tenant)
        if self.owned.ownership.hops:
            hop = self.owned.ownership.hops[0]
            parents = self.truth.relations[hop.parent].of(tenant) if hop.parent in self.truth.relations else []
            if not parents:
                return None
            changes[hop.column] = _same_type(parents[0])
        return changes


def _same_type(key: str) -> int | str:
    return int(key) if key.lstrip("-").isdigit() else key


def _duels(scene: Scene, act: Callable[[Duel], int], *, hops: int = 0) -> Iterator[Finding]:
    """
    Let each tenant of each relation's ring try; report how many tries did harm.

    `hops` leaves out the relations that are nearer to the root.
    """
    require_sealed(scene.database)
    truth = read_truth(scene)
    for finding in undecided(truth):
        if hops <= 1 or (finding.subject and _declared_hops(scene, finding.subject) >= hops):
            yield finding
    with superuser(scene) as god, app(scene) as conn:
        for relation, owned in truth.relations.items():
            if len(owned.ownership.hops) < hops:
                continue
            ring = owned.ring()
            if not ring:
                yield Finding.undecided("fewer than two tenants have rows here", subject=relation)
                continue
            shape = read_shape(god, owned.ownership)
            harm = sum(
                act(Duel(scene, truth, god, conn, owned, shape, actor, victim, number))
                for number, (actor, victim) in enumerate(ring, 1)
            )
            tried = Observation(role="app", value=len(ring), unit="pairs of tenants")
            yield Finding(relation, expected=0, actual=harm, observations=(tried,))


def _insert(duel: Duel) -> int:
    values = make_row(duel.god, duel.shape, duel.owned.of(duel.victim)[0], number=duel.number)
    attempt(duel.scene, duel.conn, duel.actor, insert_statement(duel.shape), (Jsonb(values),), keep=True)
    return int(remove_row(duel.god, duel.shape, values[duel.shape.primary_key]))


def _update(duel: Duel) -> int:
    """
    Change one row by its key; then all rows with no condition, for which a server asks no SELECT policy.
    """
    one = sql.SQL("UPDATE {relation} SET {text} = 'changed by a neighbour' WHERE {pk}::text = %s").format(**duel.names)
    with planted(duel.god, duel.shape, duel.owned.of(duel.victim)[0], number=duel.number) as values:
        key = values[duel.shape.primary_key]
        attempt(duel.scene, duel.conn, duel.actor, one, (str(key),), keep=True)
        changed = read_row(duel.god, duel.shape, key) != values
    mine = duel.owned.of(duel.actor)
    every = sql.SQL("UPDATE {relation} SET {text} = 'changed by a neighbour'").format(**duel.names)
    reached = attempt(duel.scene, duel.conn, duel.actor, every, keep=False)
    own = attempt(duel.scene, duel.conn, duel.actor, one, (mine[0],), keep=False)
    # Its own row may be changed but not all that is reached: then others' rows are reached, and only a check holds.
    beyond = reached.rows > len(mine) or (reached.by_policy and own.refused is None)
    return int(changed) + int(beyond)


def _move(duel: Duel) -> int:
    """
    Move one row by its key; then all rows with no condition, for which no SELECT policy looks at the new row.
    """
    changes = duel.into(duel.victim)
    if changes is None:
        return 0
    columns = sql.SQL(", ").join(sql.SQL("{} = %s").format(sql.Identifier(name)) for name in changes)
    every = sql.SQL("UPDATE {relation} SET {columns}").format(columns=columns, **duel.names)
    one = every + sql.SQL(" WHERE {pk}::text = %s").format(**duel.names)
    with planted(duel.god, duel.shape, duel.owned.of(duel.actor)[0], number=duel.number) as values:
        key = str(values[duel.shape.primary_key])
        attempt(duel.scene, duel.conn, duel.actor, one, (*changes.values(), key), keep=True)
        row = read_row(duel.god, duel.shape, key)
        gone = row is None or any(row[name] != values[name] for name in changes)
    moved = attempt(duel.scene, duel.conn, duel.actor, every, tuple(changes.values()), keep=False)
    return int(gone) + int(moved.rows > 0)


def _delete(duel: Duel) -> int:
    one = sql.SQL("DELETE FROM {relation} WHERE {pk}::text = %s").format(**duel.names)
    with planted(duel.god, duel.shape, duel.owned.of(duel.victim)[0], number=duel.number) as values:
        key = values[duel.shape.primary_key]
        attempt(duel.scene, duel.conn, duel.actor, one, (str(key),), keep=True)
        gone = read_row(duel.god, duel.shape, key) is None
        every = sql.SQL("DELETE FROM {relation}").format(**duel.names)
        beyond = attempt(duel.scene, duel.conn, duel.actor, every, keep=False).rows > len(duel.owned.of(duel.actor))
    return int(gone) + int(beyond)


def _refer(duel: Duel) -> int:
    hop = duel.owned.ownership.hops[0]
    parents = duel.truth.relations[hop.parent].of(duel.victim)
    if not parents:
        return 0
    mine = duel.owned.of(duel.actor)[0]
    values = make_row(duel.god, duel.shape, mine, number=duel.number, changes={hop.column: _same_type(parents[0])})
    attempt(duel.scene, duel.conn, duel.actor, insert_statement(duel.shape), (Jsonb(values),), keep=True)
    return int(remove_row(duel.god, duel.shape, values[duel.shape.primary_key]))


def _declared_hops(scene: Scene, relation: str) -> int:
    table = need_tenancy(scene.target).tables.get(relation)
    return len(table.path.split(">")) if table and table.path else 0


def _grandchildren(scene: Scene) -> list[str]:
    """
    List the relations that, as declared, hang on a parent which is not the root.
    """
    return [name for name in child_relations(scene) if _declared_hops(scene, name) > 1]


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
)
def insert_denied(scene: Scene) -> Iterator[Finding]:
    """Insert for the neighbour."""
    yield from _duels(scene, _insert)


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
)
def update_denied(scene: Scene) -> Iterator[Finding]:
    """Change the neighbour's rows."""
    yield from _duels(scene, _update)


@check(
    "rows.move.cross-tenant-denied",
    title="No tenant moves its row to another",
    phase="30",
    severity="high",
    why="A row that may leave can also be planted (MT-4).",
    how="As each tenant of a ring, give a planted row of its own, then all its rows, the neighbour's key and parent.",
    remedy="A policy with WITH CHECK for UPDATE, not USING alone with a wider check.",
    population=child_relations,
    on="copy",
)
def move_denied(scene: Scene) -> Iterator[Finding]:
    """Move an own row to the neighbour."""
    yield from _duels(scene, _move, hops=1)


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
)
def delete_denied(scene: Scene) -> Iterator[Finding]:
    """Delete the neighbour's rows."""
    yield from _duels(scene, _delete)


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
)
def reference_denied(scene: Scene) -> Iterator[Finding]:
    """Refer to the neighbour's parent."""
    yield from _duels(scene, _refer, hops=2)


WRITING_CHECKS = (insert_denied, update_denied, move_denied, delete_denied, reference_denied)
