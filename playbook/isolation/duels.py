"""
Owns the duels: one tenant tries to write what is its neighbour's, and the superuser sees what came of it.

A write counts as denied when nothing happened, whatever the server answered.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from psycopg import Connection, sql
from psycopg.rows import TupleRow
from psycopg.types.json import Jsonb

from playbook.evidence.result import Observation
from playbook.isolation.acting import app, attempt
from playbook.isolation.planting import lifted, make_row, planted, read_row, remove_row
from playbook.isolation.reading import undecided
from playbook.isolation.shape import Shape, Values, changed, insert_statement, shape_of
from playbook.isolation.truth import Owned, Truth, fought, read_truth, superuser
from playbook.proof.check import Finding
from playbook.proof.scene import Scene
from playbook.stack.guard import require_sealed
from playbook.tenancy.relations import identifier, need_tenancy

__all__ = ["declared_hops", "duels", "try_delete", "try_insert", "try_move", "try_refer", "try_update"]


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
            "change": changed(self.shape),
        }

    @property
    def references(self) -> Iterator[tuple[str, str]]:
        """The columns that lead to rows which a tenant owns, but for the tenant's key, with those of the victim's."""
        key = need_tenancy(self.scene.target).key
        for column, parent in self.shape.references:
            owned = self.truth.relations.get(parent)
            if column != key and owned is not None and owned.ownership.hops and owned.of(self.victim).rows:
                yield column, owned.of(self.victim).sample

    def into_victims(self) -> Values | None:
        """
        Say which columns make a row the victim's: its key, and its parents for every reference; None without any.
        """
        key = need_tenancy(self.scene.target).key
        changes: Values = {column: _same_type(parent) for column, parent in self.references}
        if key in self.shape.columns:
            changes[key] = _same_type(self.victim)
        return changes or None


def _same_type(key: str) -> int | str:
    return int(key) if key.lstrip("-").isdigit() else key


def duels(scene: Scene, act: Callable[[Duel], int], *, hops: int = 0) -> Iterator[Finding]:
    """
    Let each tenant of each relation's ring try; report how many tries did harm.

    `hops` leaves out the relations that are nearer to the root.
    """
    require_sealed(scene.database)
    truth = read_truth(scene)
    for finding in undecided(truth):
        if hops <= 1 or (finding.subject and declared_hops(scene, finding.subject) >= hops):
            yield finding
    with superuser(scene) as god, app(scene) as conn:
        for relation, owned in truth.relations.items():
            if len(owned.ownership.hops) < hops:
                continue
            ring = fought(scene, owned)
            if not ring:
                yield Finding.undecided("fewer than two tenants have rows here", subject=relation)
                continue
            shape = shape_of(scene, god, owned.ownership)
            harm = sum(
                act(Duel(scene, truth, god, conn, owned, shape, actor, victim, number))
                for number, (actor, victim) in enumerate(ring, 1)
            )
            tried = Observation(role="app", value=len(ring), unit="pairs of tenants")
            yield Finding(relation, expected=0, actual=harm, observations=(tried,))


def try_insert(duel: Duel) -> int:
    """
    Insert a copy of the neighbour's row under a key of its own.
    """
    values = make_row(duel.god, duel.shape, duel.owned.of(duel.victim).sample, number=duel.number)
    key = values[duel.shape.primary_key]
    with lifted(duel.god, duel.shape, str(key)):
        attempt(duel.scene, duel.conn, duel.actor, insert_statement(duel.shape), (Jsonb(values),), keep=True)
        return int(remove_row(duel.god, duel.shape, key))


def try_update(duel: Duel) -> int:
    """
    Change one row by its key; then all rows with no condition, for which a server asks no SELECT policy.
    """
    one = sql.SQL("UPDATE {relation} SET {change} WHERE {pk}::text = %s").format(**duel.names)
    with planted(duel.god, duel.shape, duel.owned.of(duel.victim).sample, number=duel.number) as values:
        key = values[duel.shape.primary_key]
        attempt(duel.scene, duel.conn, duel.actor, one, (str(key),), keep=True)
        changed = read_row(duel.god, duel.shape, key) != values
    if changed:
        return 1
    mine = duel.owned.of(duel.actor)
    every = sql.SQL("UPDATE {relation} SET {change}").format(**duel.names)
    reached = attempt(duel.scene, duel.conn, duel.actor, every, keep=False)
    own = attempt(duel.scene, duel.conn, duel.actor, one, (mine.sample,), keep=False)
    # Its own row may be changed but not all that is reached: then others' rows are reached, and only a check holds.
    beyond = reached.rows > mine.rows or (reached.by_policy and own.refused is None)
    return int(beyond)


def try_move(duel: Duel) -> int:
    """
    Move one row by its key; then the same where a cursor stands, for which no SELECT policy looks at the new row.
    """
    changes = duel.into_victims()
    if changes is None:
        return 0
    columns = sql.SQL(", ").join(sql.SQL("{} = %s").format(sql.Identifier(name)) for name in changes)
    by_key = sql.SQL("UPDATE {relation} SET {columns} WHERE {pk}::text = {key}")
    at_cursor = sql.SQL(
        "DECLARE mine CURSOR FOR SELECT 1 FROM {relation} WHERE {pk}::text = {key} FOR UPDATE; FETCH mine;"
        " UPDATE {relation} SET {columns} WHERE CURRENT OF mine"
    )
    with planted(duel.god, duel.shape, duel.owned.of(duel.actor).sample, number=duel.number) as values:
        key = str(values[duel.shape.primary_key])
        for way in (by_key, at_cursor):
            statement = way.format(columns=columns, key=sql.Literal(key), **duel.names)
            attempt(duel.scene, duel.conn, duel.actor, statement, tuple(changes.values()), keep=True)
            row = read_row(duel.god, duel.shape, key)
            if row is None or any(row[name] != values[name] for name in changes):
                return 1
    return 0


def try_delete(duel: Duel) -> int:
    """
    Delete one row by its key; then all rows with no condition, for which a server asks no SELECT policy.
    """
    one = sql.SQL("DELETE FROM {relation} WHERE {pk}::text = %s").format(**duel.names)
    with planted(duel.god, duel.shape, duel.owned.of(duel.victim).sample, number=duel.number) as values:
        key = values[duel.shape.primary_key]
        attempt(duel.scene, duel.conn, duel.actor, one, (str(key),), keep=True)
        gone = read_row(duel.god, duel.shape, key) is None
        if gone:
            return 1
        every = sql.SQL("DELETE FROM {relation}").format(**duel.names)
        beyond = attempt(duel.scene, duel.conn, duel.actor, every, keep=False).rows > duel.owned.of(duel.actor).rows
    return int(beyond)


def try_refer(duel: Duel) -> int:
    """
    Insert an own row for each reference, which is the neighbour's.
    """
    mine = duel.owned.of(duel.actor).sample
    hung = False
    for column, parent in duel.references:
        values = make_row(duel.god, duel.shape, mine, number=duel.number, changes={column: _same_type(parent)})
        attempt(duel.scene, duel.conn, duel.actor, insert_statement(duel.shape), (Jsonb(values),), keep=True)
        hung |= remove_row(duel.god, duel.shape, values[duel.shape.primary_key])
    return int(hung)


def declared_hops(scene: Scene, relation: str) -> int:
    """
    Count the foreign keys on the declared way to the tenant; 0 where none is declared.
    """
    table = need_tenancy(scene.target).tables.get(relation)
    return len(table.path.split(">")) if table and table.path else 0
