"""
Owns the check that a request cannot hang its object on another tenant's parent.
"""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import JsonValue

from playbook.evidence.result import Observation
from playbook.isolation.openapi import Operation, read_operations
from playbook.isolation.planting import planted, remove_row
from playbook.isolation.shape import read_shape
from playbook.isolation.truth import superuser
from playbook.isolation.walk import Caller, walking
from playbook.proof.check import Finding, check
from playbook.proof.scene import Scene
from playbook.stack.guard import require_sealed
from playbook.tenancy.relations import need_tenancy

__all__ = ["PARENT_CHECKS"]

WRITES = ("POST", "PUT", "PATCH")


def _column(scene: Scene, operation: Operation) -> str | None:
    """
    Find the property of a body that names the parent: the first column of the declared path.
    """
    tables = need_tenancy(scene.target).tables
    for relation, table in tables.items():
        column = (table.path or "").split(">")[0]
        if relation.split(".", 1)[1] == operation.collection and column in operation.body:
            return column
    return None


def _naming_a_parent(scene: Scene) -> list[str]:
    """
    List the secured writes whose body names a parent.
    """
    return [
        one.name
        for one in read_operations(scene)
        if one.secured and one.method in WRITES and _column(scene, one) is not None
    ]


@check(
    "http.parent.foreign-not-found",
    title="An object cannot be put under another tenant's parent",
    phase="30",
    severity="high",
    why="What is put into another customer's collection is read there; any answer but 404 says that it exists.",
    how="Every write whose body names a parent, with an own one (must be done) and another tenant's (must be 404).",
    remedy="Read the parent under the bound tenant before the write; a composite foreign key stands behind it.",
    population=_naming_a_parent,
    on="copy",
    dear=True,
)
def parent_not_found(scene: Scene) -> Iterator[Finding]:
    """Write under the neighbour's parents."""
    require_sealed(scene.database)
    with walking(scene) as walk, superuser(scene) as god:
        for operation in read_operations(scene):
            column = _column(scene, operation)
            if not operation.secured or operation.method not in WRITES or column is None:
                continue
            owned = walk.relation_of(operation)
            pairs = walk.pairs(owned) if owned else []
            if owned is None or not pairs:
                yield Finding.undecided("fewer than two tenants have objects", subject=operation.name)
                continue
            parents = walk.truth.relations[owned.ownership.hops[0].parent]
            shape = read_shape(god, owned.ownership)
            answers = set()
            for caller, neighbour in pairs:
                own, foreign = (_as_number(parents.of(one.actor.tenant_id).sample) for one in (caller, neighbour))
                with planted(god, shape, owned.of(caller.actor.tenant_id).sample, number=2000) as values:
                    key = str(values[shape.primary_key])
                    bodies = [operation.make_body({column: parent}) for parent in (own, foreign)]
                    told = [_send(caller, operation, key, body) for body in bodies]
                for _, made in told:
                    remove_row(god, shape, made)
                answers.add(f"own {told[0][0]}, foreign {told[1][0]}")
            yield Finding(
                operation.name,
                expected=["own done, foreign 404"],
                actual=[*sorted(answers)],
                observations=(Observation(role="client", request=operation.name, value=len(pairs), unit="pairs"),),
            )


def _send(caller: Caller, operation: Operation, key: str, body: JsonValue) -> tuple[str, JsonValue]:
    """
    Send one write; say in a word how it ended, and the key of what it made.
    """
    answer = caller.client.request(operation.method, operation.at(key), json=body)
    made = answer.json.get("id") if isinstance(answer.json, dict) and not operation.path_keys else None
    return "done" if answer.status in (200, 201) else str(answer.status), made


def _as_number(key: str) -> int | str:
    return int(key) if key.isdigit() else key


PARENT_CHECKS = (parent_not_found,)
