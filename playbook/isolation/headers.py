"""
Owns the check about a header that claims to be another tenant: on every operation that asks who calls.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from psycopg import Connection
from psycopg.rows import TupleRow

from playbook.evidence.result import Observation
from playbook.isolation.asking import Asked, made_key
from playbook.isolation.objects import NOT_FOUND, Encounter, ask_foreign, encounter, own_values
from playbook.isolation.openapi import Operation, read_operations
from playbook.isolation.planting import planted, remove_row
from playbook.isolation.shape import read_shape
from playbook.isolation.truth import superuser
from playbook.isolation.walk import Caller, Walk, walking
from playbook.proof.check import Finding, check
from playbook.proof.scene import Scene
from playbook.stack.guard import require_sealed

__all__ = ["HEADER_CHECKS"]

HEADER = "X-Tenant-ID"
FEW = "10"


def _secured(scene: Scene) -> list[str]:
    """
    List the operations that ask who calls.
    """
    return [one.name for one in read_operations(scene) if one.secured]


def _claim(met: Encounter) -> tuple[str, ...]:
    return ask_foreign(met, Asked(met.key, headers={HEADER: met.neighbour.actor.tenant_id}))


@check(
    "http.header.ignored",
    title="A header that claims another tenant changes nothing",
    phase="30",
    severity="critical",
    why="Whoever may name the tenant in a header is every tenant (MT-6).",
    how="Every secured operation with X-Tenant-ID of another tenant: on its object 404; what is made is the caller's; "
    "else the same answer as without.",
    remedy="Take the tenant from the verified token only.",
    population=_secured,
    on="copy",
    dear=True,
)
def header_ignored(scene: Scene) -> Iterator[Finding]:
    """Claim to be the neighbour."""
    require_sealed(scene.database)
    with walking(scene) as walk, superuser(scene) as god:
        for operation in read_operations(scene):
            if operation.is_object:
                yield encounter(god, walk, operation, [str(NOT_FOUND)], _claim, most=1)
            elif operation.secured:
                yield _claimed(walk, operation, partial(_compared, god, walk))


def _claimed(walk: Walk, operation: Operation, compare: partial[str | None]) -> Finding:
    pairs = walk.neighbours()[:1]
    if len(walk.callers) < 2:  # noqa: PLR2004 (a caller is not its own neighbour)
        return Finding.undecided("fewer than two tenants to try with", subject=operation.name)
    told = [compare(operation, caller, other) for caller, other in pairs]
    seen = Observation(
        role="client", request=f"{operation.name} with {HEADER}", value=len(pairs), unit="pairs of tenants"
    )
    moved = [one for one in told if one]
    return Finding(operation.name, expected=[], operator="empty", actual=[*moved], observations=(seen,))


def _compared(god: Connection[TupleRow], walk: Walk, operation: Operation, caller: Caller, other: Caller) -> str | None:
    """
    Say what the header changed: whose it is that was made, else the answer. None: nothing.
    """
    claim = {HEADER: other.actor.tenant_id}
    who = f"{caller.actor.tenant} as {other.actor.tenant}"
    if operation.method == "GET" or operation.is_list:
        with _with_own_row(god, walk, operation, caller):
            plain, claimed = (caller.ask(operation, Asked(headers=one, limit=FEW)) for one in (None, claim))
        same = (plain.status, plain.text) == (claimed.status, claimed.text)
        return None if same else f"{who}: {plain.status}, then {claimed.status}"
    owned = walk.relation_of(operation)
    needed = walk.values_for(operation, caller, other)
    plain, claimed = (caller.ask(operation, Asked(headers=one, values=needed)) for one in (None, claim))
    made = [key for key in (made_key(operation, plain), made_key(operation, claimed)) if key is not None]
    if owned is None or not made:
        same = (plain.status, plain.text) == (claimed.status, claimed.text)
        return None if same else f"{who}: {plain.status}, then {claimed.status}"
    owners = set(owned.read_owners(god, [str(key) for key in made]).values())
    shape = read_shape(god, owned.ownership)
    for key in made:
        remove_row(god, shape, key)
    if len(made) == 1:
        return f"{who}: {plain.status}, then {claimed.status}"
    return None if owners == {caller.actor.tenant_id} else f"{who}: it was made for tenant {', '.join(sorted(owners))}"


@contextmanager
def _with_own_row(god: Connection[TupleRow], walk: Walk, operation: Operation, caller: Caller) -> Iterator[None]:
    """
    Plant a row of the caller's where a list is of the caller's own: two empty pages would say nothing.
    """
    owned = walk.relation_of(operation)
    mine = own_values(owned.ownership, caller) if owned is not None else {}
    if owned is None or not mine or not owned.of(caller.actor.tenant_id).rows:
        yield
        return
    shape = read_shape(god, owned.ownership)
    with planted(god, shape, owned.of(caller.actor.tenant_id).sample, number=3000, changes=mine):
        yield


HEADER_CHECKS = (header_ignored,)
