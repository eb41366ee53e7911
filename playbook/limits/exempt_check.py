"""
Owns the check of what is exempt: every operation of the OpenAPI document, asked by a caller with nothing left.
"""

from __future__ import annotations

from collections.abc import Iterator

from playbook.errors import Unavailable
from playbook.evidence.result import Observation
from playbook.limits.asking import declared, front_door, make_prober, partial_strength
from playbook.limits.declaration import Limit
from playbook.limits.exhausting import doubt_of
from playbook.limits.experiments import Prober
from playbook.limits.findings import abreast
from playbook.limits.operations import Operation, read_operations
from playbook.limits.wire import Line, Request
from playbook.proof.check import Finding, check
from playbook.proof.scene import Scene

__all__ = ["exempt_exactly"]

EXEMPT_TIMES = 3


def _operations(scene: Scene) -> tuple[Operation, ...]:
    """
    The operations that are exempt or limited; what no limit names has nothing to show.
    """
    openapi = scene.target.api.openapi if scene.target.api else "/openapi.json"
    source = make_prober(scene).callers.fresh_address()
    declaration = declared(scene)
    everything = read_operations(front_door(scene), openapi, source=source)
    return tuple(one for one in everything if one.path in declaration.exempt or one.limits(declaration))


def _names(scene: Scene) -> list[str]:
    return [one.name for one in _operations(scene)]


@check(
    "limits.exempt.exact",
    title="Exempt routes are exempt, and nothing else is",
    phase="50",
    severity="high",
    why="A limiter that skips whatever looks like a health check is dodged by a path; one that skips none makes a load"
    " balancer drop healthy instances.",
    how="Exhaust a caller of each limit, then ask every operation of the OpenAPI document as it.",
    remedy="Compare the whole path with the list, not a part of it.",
    population=_names,
    on="copy",
    dear=True,
)
def exempt_exactly(scene: Scene) -> Iterator[Finding]:
    """Ask every operation as a caller with nothing left."""
    prober = make_prober(scene)
    declaration = declared(scene)
    operations = _operations(scene)
    part = partial_strength(scene)
    if not operations:
        raise Unavailable("no operation is exempt or limited", hint="Does the declaration name the service's paths?")
    by_limit: dict[str, list[Operation]] = {}
    for one in operations:
        limit = next(iter(one.matched(declaration)), declaration.limits[0])
        by_limit.setdefault(limit.id, []).append(one)
    for limit, asked in abreast(scene, lambda one: [*_ask(prober, one, by_limit.get(one.id, []))]):
        for one, statuses, refused, doubt in asked:
            if doubt is not None:
                yield Finding.undecided(doubt, subject=one.name)
                continue
            expected = "limited" if one.limits(declaration) else "exempt"
            yield Finding(
                subject=one.name,
                expected=expected,
                actual="limited" if refused else "exempt",
                observations=(
                    Observation(role=f"caller of {limit.id} with nothing left", request=one.name, value=statuses),
                ),
                strength="partial" if part else "strong",
                strength_reason=part,
            )


def _ask(
    prober: Prober, limit: Limit, operations: list[Operation]
) -> Iterator[tuple[Operation, list[int], bool, str | None]]:
    """
    Exhaust a caller at one instance, then ask each operation there as it; say also why that may decide nothing.

    Refused is what is answered 429 or as its own refusal was.
    """
    if not operations:
        return
    caller = prober.callers.fresh(limit)
    spent = prober.exhaust(limit, caller, prober.first)
    doubt = doubt_of([spent], limit.binding)
    refusals = {429} if spent.refused_status is None else {429, spent.refused_status}
    with Line(prober.first, caller.address) as line:
        for one in operations:
            request = caller.request(limit)
            again = Request(one.method, one.path, request.headers)
            if one.path == limit.path and one.method == limit.method:
                again = request
            statuses = [line.ask(again).status]
            while statuses[-1] not in refusals and len(statuses) < EXEMPT_TIMES:
                statuses.append(line.ask(again).status)
            silent = "a request was not answered" if 0 in statuses else None
            yield one, statuses, statuses[-1] in refusals, doubt or silent
