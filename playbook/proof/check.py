"""
Owns what a check is: one question with a population of its own, and a probe that answers with findings.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import JsonValue

from playbook.evidence.outcome import Code
from playbook.evidence.result import Observation, Operator
from playbook.proof.scene import Scene

__all__ = ["Check", "Finding", "Severity", "check"]

Severity = Literal["info", "low", "medium", "high", "critical"]
Population = Callable[[Scene], Sequence[str]]
Probe = Callable[[Scene], Iterable["Finding"]]


@dataclass(frozen=True, slots=True)
class Finding:
    """
    What a probe saw of one subject (None: of the whole).

    The outcome is computed later from `expected`, `operator` and `actual`. `tested` is for findings about the
    whole: the names, out of the check's population, that were really tried. A finding that could not be made
    has `code` and `reason` instead.
    """

    subject: str | None = None
    expected: JsonValue = None
    operator: Operator = "eq"
    actual: JsonValue = None
    tested: Sequence[str] | None = None
    observations: tuple[Observation, ...] = ()
    strength: Literal["strong", "partial"] = "strong"
    strength_reason: str | None = None
    code: Code | None = None
    reason: str | None = None

    @classmethod
    def undecided(cls, reason: str, *, code: Code = "inconclusive", subject: str | None = None) -> Finding:
        """
        Say that the question could not be decided, and why; it becomes an error (`unavailable`: a skip).
        """
        return cls(subject=subject, code=code, reason=reason)


@dataclass(frozen=True, slots=True)
class Check:
    """
    One question.

    `population` lists what exists, by a query that `probe` does not share; without it the check is about one
    thing only, itself. `on` says where it runs: `state` (it reads, or injects a fault that heals) or `copy` (it
    writes, so it gets a throw-away copy of the state). `reach` is `code` when it asks the service's code alone, on a
    database of its own or none: then no fault of a copy's schema can reach it, and it is not asked under one. It is
    `rows` when it asks the database alone, as the service's role: then no fault of the service's code can reach it.
    A `dear` one sends hundreds of requests, or reads every row: profile quick asks it only under sabotages that name
    it. `why`, `how` and `remedy` are what `explain` prints.
    """

    id: str
    title: str
    phase: str
    severity: Severity
    why: str
    how: str
    remedy: str
    probe: Probe
    population: Population | None = None
    on: Literal["state", "copy"] = "state"
    reach: Literal["all", "code", "rows"] = "all"
    dear: bool = False

    @property
    def family(self) -> str:
        """
        First segment of the id.
        """
        return self.id.partition(".")[0]


def check(
    id: str,  # noqa: A002 (the contract's word)
    *,
    title: str,
    phase: str,
    severity: Severity,
    why: str,
    how: str,
    remedy: str,
    population: Population | None = None,
    on: Literal["state", "copy"] = "state",
    reach: Literal["all", "code", "rows"] = "all",
    dear: bool = False,
) -> Callable[[Probe], Check]:
    """
    Make a Check of the decorated probe.
    """

    def made(probe: Probe) -> Check:
        return Check(
            id=id,
            title=title,
            phase=phase,
            severity=severity,
            why=why,
            how=how,
            remedy=remedy,
            probe=probe,
            population=population,
            on=on,
            reach=reach,
            dear=dear,
        )

    return made
