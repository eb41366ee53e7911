"""
Owns which measured figures moved between two runs: how long checks took, and what checks with a limit measured.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from playbook.evidence.record import RunRecord
from playbook.evidence.result import CheckResult
from playbook.report.noise import spread_of

__all__ = ["Drift", "Slower", "drift_of", "slower_of"]

_FLOOR_S = 0.25
"""A check that took a quarter of a second longer was not slower; the machine was busy."""
_RECOVERY = re.compile(r"(^|[.-])(rto|rpo)([.-]|$)")
_LIMITS = ("lt", "le", "gt", "ge")


@dataclass(frozen=True, slots=True)
class Slower:
    """
    A check that took longer than its repeats did, all subjects together.
    """

    check: str
    before_s: float
    after_s: float
    noise_s: float
    repeats: int


@dataclass(frozen=True, slots=True)
class Drift:
    """
    A figure with a limit that moved. `beyond_noise` is null when there are too few repeats to tell.
    """

    check: str
    subject: str | None
    unit: str | None
    limit: str
    before: float
    after: float
    worse: bool
    beyond_noise: bool | None
    recovery: bool


def slower_of(before: RunRecord, after: RunRecord, repeats: Sequence[RunRecord]) -> tuple[Slower, ...]:
    """
    Name the checks that took longer than the noise of `before` and its repeats allows. Read-only.
    """
    past = [_durations(record) for record in _distinct(before, repeats)]
    found = []
    for check, took in sorted(_durations(after).items()):
        spread = spread_of([one[check] for one in past if check in one], floor=_FLOOR_S)
        if spread and spread.above(took):
            found.append(Slower(check, spread.middle, took, spread.noise, spread.repeats))
    return tuple(found)


def drift_of(before: RunRecord, after: RunRecord, repeats: Sequence[RunRecord]) -> tuple[Drift, ...]:
    """
    Name the figures with a limit that moved: RTO and RPO always, others only beyond the noise. RTO and RPO first.
    """
    old, new = _figures(before), _figures(after)
    past = [_figures(record) for record in _distinct(before, repeats)]
    found = []
    for key in old.keys() & new.keys():
        was, is_ = _number(old[key]), _number(new[key])
        result = new[key]
        recovery = _RECOVERY.search(result.id) is not None
        spread = spread_of([_number(one[key]) for one in past if key in one])
        beyond = spread.outside(is_) if spread else None
        if was == is_ or not (recovery or beyond):
            continue
        worse = (is_ > was) is (result.operator in ("lt", "le"))
        unit = next((seen.unit for seen in result.observations if seen.unit), None)
        limit = f"{result.operator} {result.expected}"
        found.append(Drift(result.id, result.subject, unit, limit, was, is_, worse, beyond, recovery))
    return tuple(sorted(found, key=lambda one: (not one.recovery, one.check, one.subject or "")))


def _distinct(before: RunRecord, repeats: Sequence[RunRecord]) -> list[RunRecord]:
    return list({record.run_id: record for record in (*repeats, before)}.values())


def _durations(record: RunRecord) -> Mapping[str, float]:
    found: dict[str, float] = {}
    for phase in record.phases:
        for result in phase.counted:
            found[result.id] = found.get(result.id, 0.0) + result.duration_s
    return found


def _figures(record: RunRecord) -> Mapping[tuple[str, str | None], CheckResult]:
    return {
        (result.id, result.subject): result
        for phase in record.phases
        for result in phase.counted
        if result.operator in _LIMITS and result.outcome in ("pass", "fail", "waived")
    }


def _number(result: CheckResult) -> float:
    assert isinstance(result.actual, int | float)  # `decide` refuses anything else for these operators
    return result.actual
