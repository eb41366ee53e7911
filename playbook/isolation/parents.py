"""
Owns the checks about identifiers that a request names beside its path: in the query and in the body.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from psycopg import Connection
from psycopg.rows import TupleRow

from playbook.evidence.result import Observation
from playbook.isolation.asking import DONE, Asked, made_key
from playbook.isolation.openapi import SEVERAL, Operation, read_operations
from playbook.isolation.planting import planted, read_row, remove_row
from playbook.isolation.shape import read_shape
from playbook.isolation.truth import Owned, superuser
from playbook.isolation.walk import Caller, Walk, as_number, walking
from playbook.proof.check import Finding, check
from playbook.proof.scene import Scene
from playbook.service.client import Answer
from playbook.stack.guard import require_sealed

__all__ = ["PARENT_CHECKS", "identifiers_in"]

NOBODYS = 8_000_000_000_000_000_001
"""A key that no row has."""

NOT_THERE = "own done, foreign 404"
MISSING = "own done, foreign as one that never was"
"""A filter, and a question about several, answers with less where a single object is 404."""


def identifiers_in(names: Mapping[str, object] | tuple[str, ...]) -> list[str]:
    """
    List those of these parameters or properties that name an object: by the ending `_id`, or `ids`.
    """
    return [name for name in names if name.endswith("_id") or name == SEVERAL]


def _naming_in_query(scene: Scene) -> list[str]:
    return [one.name for one in read_operations(scene) if one.secured and identifiers_in(one.query)]


def _naming_in_body(scene: Scene) -> list[str]:
    return [one.name for one in read_operations(scene) if one.secured and identifiers_in(one.body)]


@dataclass(frozen=True, slots=True)
class Place:
    """
    One place for an identifier in one operation, and the relation that it names.
    """

    operation: Operation
    name: str
    in_query: bool
    owned: Owned

    def asked(self, key: str, identifier: int | str, parents: Mapping[str, int | str]) -> Asked:
        """
        Make the request that names this object; `key` is for the path.
        """
        if self.in_query:
            return Asked(key, query={self.name: str(identifier)})
        return Asked(key, values={**parents, self.name: [identifier] if self.name == SEVERAL else identifier})


def _named(god: Connection[TupleRow], walk: Walk, place: Place, tenant: str) -> int | str:
    """
    Choose an object of a tenant: one that the tenant's own row names there, else any.
    """
    about = walk.relation_of(place.operation)
    if about is not None and about.of(tenant).rows and place.name != SEVERAL:
        row = read_row(god, read_shape(god, about.ownership), about.of(tenant).sample) or {}
        if row.get(place.name) is not None:
            return as_number(str(row[place.name]))
    return as_number(place.owned.of(tenant).sample)


def _tell(
    god: Connection[TupleRow], walk: Walk, place: Place, caller: Caller, *, key: str, identifier: int | str
) -> Answer:
    """
    Send the request; take away what it made.
    """
    answer = caller.ask(place.operation, place.asked(key, identifier, walk.own_parents(place.operation, caller)))
    made, about = made_key(place.operation, answer), walk.relation_of(place.operation)
    if made is not None and about is not None:
        remove_row(god, read_shape(god, about.ownership), made)
    return answer


def _judged(own: tuple[int | str, Answer], foreign: tuple[int | str, Answer], nobodys: Answer) -> str:
    """
    Say in words how the own and the foreign object were answered, beside one that nobody has.
    """

    def masked(identifier: int | str, answer: Answer) -> tuple[int, str]:
        return answer.status, answer.text.replace(str(identifier), "#")

    never = masked(NOBODYS, nobodys)
    done = own[1].status in DONE and masked(*own) != never
    missing = masked(*foreign) == never and nobodys.status in DONE
    word = "as one that never was" if missing else str(foreign[1].status)
    return f"own {'done' if done else own[1].status}, foreign {word}"


def _places(walk: Walk, operation: Operation, *, in_query: bool) -> list[Place]:
    found = []
    for name in identifiers_in(operation.query if in_query else operation.body):
        called = operation.fixed[0] if name == SEVERAL else f"{name.removesuffix('_id')}s"
        owned = walk.relation_called(called)
        if owned is not None:
            found.append(Place(operation, name, in_query, owned))
    return found


def _asked_everywhere(scene: Scene, *, in_query: bool) -> Iterator[Finding]:
    require_sealed(scene.database)
    with walking(scene) as walk, superuser(scene) as god:
        for operation in read_operations(scene):
            if not operation.secured or not identifiers_in(operation.query if in_query else operation.body):
                continue
            places = _places(walk, operation, in_query=in_query)
            answers = {one for place in places for one in _answers(god, walk, place)}
            if not answers:
                yield Finding.undecided("no two tenants have what it names", subject=operation.name)
                continue
            seen = Observation(role="client", request=operation.name, value=[one.name for one in places], unit="places")
            well = [NOT_THERE, MISSING] if in_query or SEVERAL in operation.body else [NOT_THERE]
            yield Finding(
                operation.name, expected=[*well], operator="subset", actual=[*sorted(answers)], observations=(seen,)
            )


def _answers(god: Connection[TupleRow], walk: Walk, place: Place) -> Iterator[str]:
    about = walk.relation_of(place.operation)
    for caller, neighbour in walk.pairs(place.owned):
        own, foreign = (_named(god, walk, place, one.actor.tenant_id) for one in (caller, neighbour))
        if not place.operation.path_keys or about is None:
            told = [_tell(god, walk, place, caller, key="", identifier=one) for one in (own, foreign, NOBODYS)]
        else:
            shape = read_shape(god, about.ownership)
            with planted(god, shape, about.of(caller.actor.tenant_id).sample, number=2000) as values:
                key = str(values[shape.primary_key])
                told = [_tell(god, walk, place, caller, key=key, identifier=one) for one in (own, foreign, NOBODYS)]
        yield _judged((own, told[0]), (foreign, told[1]), told[2])


@check(
    "http.parent.foreign-not-found",
    title="Another tenant's object cannot be named in a body",
    phase="30",
    severity="high",
    why="What is put into another customer's collection is read there; any answer but 'there is none' says it exists.",
    how="Every operation whose body or form names an object: an own one is done, a foreign one as one that nobody has.",
    remedy="Read what is named under the bound tenant first; a composite foreign key stands behind it.",
    population=_naming_in_body,
    on="copy",
    dear=True,
)
def parent_not_found(scene: Scene) -> Iterator[Finding]:
    """Name the neighbour's objects in bodies."""
    yield from _asked_everywhere(scene, in_query=False)


@check(
    "http.query.foreign-not-found",
    title="Another tenant's object cannot be named in a query",
    phase="30",
    severity="high",
    why="A filter by another customer's collection that finds something shows it (MT-7).",
    how="Every operation with an identifier in its query: an own one finds rows, a foreign one as one that nobody has.",
    remedy="Filter under the bound tenant; never answer a filter from what was read outside of it.",
    population=_naming_in_query,
    on="copy",
    dear=True,
)
def query_not_found(scene: Scene) -> Iterator[Finding]:
    """Name the neighbour's objects in queries."""
    yield from _asked_everywhere(scene, in_query=True)


PARENT_CHECKS = (parent_not_found, query_not_found)
