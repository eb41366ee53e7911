"""
Owns the checks about single objects over HTTP: another tenant's is not there, one's own is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from psycopg import Connection
from psycopg.rows import TupleRow
from pydantic import JsonValue

from playbook.evidence.result import Observation
from playbook.isolation.asking import DONE, Asked
from playbook.isolation.openapi import Operation, read_operations
from playbook.isolation.planting import planted, read_row
from playbook.isolation.shape import Shape, Values, read_shape
from playbook.isolation.truth import superuser
from playbook.isolation.walk import ACTORS, Caller, Walk, foreign_marks, walking
from playbook.proof.check import Finding, check
from playbook.proof.scene import Scene
from playbook.stack.guard import require_sealed
from playbook.tenancy.truth import Ownership

__all__ = ["NOT_FOUND", "OBJECT_CHECKS", "Encounter", "ask_foreign", "encounter", "own_values"]

NOT_FOUND = 404


@dataclass(frozen=True, slots=True)
class Encounter:
    """
    A caller, its neighbour, and a planted object of the neighbour's. `god` is the superuser's connection.
    """

    god: Connection[TupleRow]
    operation: Operation
    shape: Shape
    values: Values
    caller: Caller
    neighbour: Caller

    @property
    def key(self) -> str:
        """The planted object's key."""
        return str(self.values[self.shape.primary_key])


def own_values(ownership: Ownership, caller: Caller) -> Values:
    """
    Say what makes a row the caller's own where rows hang on a user: some are for that user alone.
    """
    hop = ownership.hops[0] if ownership.hops else None
    if hop is None or not hop.parent.endswith(".users"):
        return {}
    user = caller.actor.user_id
    return {hop.column: int(user) if user.isdigit() else user}


Ask = Callable[[Encounter], tuple[str, ...]]


def object_operations(scene: Scene) -> list[str]:
    """
    List the operations with an object's key in their path.
    """
    return [one.name for one in read_operations(scene) if one.is_object]


def each_object(scene: Scene, expected: list[JsonValue], ask: Ask, *, most: int = ACTORS) -> Iterator[Finding]:
    """
    Plant an object of each caller's neighbour per operation, and ask about it; report all distinct answers.
    """
    require_sealed(scene.database)
    with walking(scene) as walk, superuser(scene) as god:
        for operation in read_operations(scene):
            if operation.is_object:
                yield encounter(god, walk, operation, expected, ask, most=most)


def encounter(
    god: Connection[TupleRow],
    walk: Walk,
    operation: Operation,
    expected: list[JsonValue],
    ask: Ask,
    *,
    most: int = ACTORS,
) -> Finding:
    """
    Plant an object of each caller's neighbour, and ask one operation about it; report all distinct answers.

    At most so many callers ask.
    """
    owned = walk.relation_of(operation)
    if owned is None:
        return Finding.undecided(f"no relation is called {operation.fixed[-1]}", subject=operation.name)
    pairs = walk.pairs(owned)[:most]
    if not pairs:
        return Finding.undecided("fewer than two tenants have objects", subject=operation.name)
    shape = read_shape(god, owned.ownership)
    answers: set[str] = set()
    for number, (caller, neighbour) in enumerate(pairs, 1):
        like = owned.of(neighbour.actor.tenant_id).sample
        mine = own_values(owned.ownership, neighbour)
        with planted(god, shape, like, number=1000 + number, changes=mine) as values:
            answers.update(ask(Encounter(god, operation, shape, values, caller, neighbour)))
    seen = Observation(role="client", request=operation.name, value=len(pairs), unit="pairs of tenants")
    return Finding(operation.name, expected=expected, actual=[*sorted(answers)], observations=(seen,))


def _ask_foreign(met: Encounter) -> tuple[str, ...]:
    return ask_foreign(met, Asked(met.key))


def ask_foreign(met: Encounter, asked: Asked) -> tuple[str, ...]:
    """
    Ask about the neighbour's object; tell the status, and what of it showed or changed.
    """
    # Its owner looks first: what a service keeps in memory has no row security.
    if met.operation.method == "GET":
        met.neighbour.ask(met.operation, Asked(met.key))
    answer = met.caller.ask(met.operation, asked)
    told = [str(answer.status), *(f"shows {slug}" for slug in foreign_marks(answer, met.caller))]
    if read_row(met.god, met.shape, met.key) != met.values:
        told.append("changed it")
    return tuple(told)


def _ask_own(met: Encounter) -> tuple[str, ...]:
    answer = met.neighbour.ask(met.operation, Asked(met.key))
    return ("done" if answer.status in DONE else str(answer.status),)


@check(
    "http.object.foreign-not-found",
    title="Another tenant's object is 404, whatever is asked of it",
    phase="30",
    severity="critical",
    why="Keys are guessed; 403 would say that it exists (MT-7).",
    how="Every operation with a key in its path, asked for another tenant's planted object, after its owner's look.",
    remedy="Read by key under the bound tenant; answer 404 when there is no row.",
    population=object_operations,
    on="copy",
    dear=True,
)
def foreign_not_found(scene: Scene) -> Iterator[Finding]:
    """Ask for the neighbour's objects."""
    yield from each_object(scene, [str(NOT_FOUND)], _ask_foreign)


@check(
    "http.object.own-reachable",
    title="One's own object can be read, changed and deleted",
    phase="30",
    severity="high",
    why="A service that answers 404 to all isolates too (MT-7).",
    how="Every operation with a key in its path, asked by the owner of a planted object.",
    remedy="Look for a restrictive policy, a missing grant, or a context that is not bound.",
    population=object_operations,
    on="copy",
    dear=True,
)
def own_reachable(scene: Scene) -> Iterator[Finding]:
    """Ask for one's own objects."""
    yield from each_object(scene, ["done"], _ask_own, most=1)


OBJECT_CHECKS = (foreign_not_found, own_reachable)
