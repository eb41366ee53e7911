"""
Owns how what an experiment saw of one limit becomes a finding, and asking several limits at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from pydantic import JsonValue

from playbook.evidence.result import Observation
from playbook.limits.asking import declared, partial_strength
from playbook.limits.declaration import Limit
from playbook.limits.judging import Asked, Judged, Trace, judge_count
from playbook.proof.check import Finding
from playbook.proof.scene import Scene

__all__ = ["abreast", "admitted_of", "found_of", "limit_names", "trace_seen"]

ABREAST = 3
"""So many limits are asked at once: each by callers of its own, so that none counts for another."""

Seen = TypeVar("Seen")


def limit_names(scene: Scene) -> list[str]:
    """
    Name the declared limits.
    """
    return [limit.id for limit in declared(scene).limits]


def trace_seen(limit: Limit, trace: Trace, role: str) -> Observation:
    """
    Write down what a caller asked and got.
    """
    points: list[JsonValue] = [_point(one) for one in trace.asked]
    return Observation(role=role, request=f"{limit.method} {limit.path}", value=points, unit="[s, status, admitted]")


def _point(one: Asked) -> JsonValue:
    return [one.at_s, one.status, one.admitted]


def abreast(scene: Scene, ask: Callable[[Limit], Seen]) -> Iterator[tuple[Limit, Seen]]:
    """
    Ask about each declared limit, a few at once, in the order of the declaration.
    """
    limits = declared(scene).limits
    with ThreadPoolExecutor(ABREAST) as pool:
        yield from zip(limits, pool.map(ask, limits), strict=True)


def found_of(
    scene: Scene, limit: Limit, *, expected: JsonValue, actual: JsonValue, seen: Sequence[Observation]
) -> Finding:
    """
    Make the finding about one limit; it is partial where the windows are scaled.
    """
    part = partial_strength(scene)
    return Finding(
        subject=limit.id,
        expected=expected,
        actual=actual,
        observations=tuple(seen),
        strength="partial" if part else "strong",
        strength_reason=part,
    )


def admitted_of(scene: Scene, limit: Limit, trace: Trace, role: str) -> Finding:
    """
    Hold what a fresh caller got through to the declared number.
    """
    judged: Judged = judge_count(trace, limit.binding)
    if judged.inconclusive is not None:
        return Finding.undecided(judged.inconclusive, subject=limit.id)
    seen = trace_seen(limit, trace, role)
    return found_of(scene, limit, expected=limit.binding.requests, actual=judged.admitted, seen=(seen,))
