"""
Owns what phase 70's checks share: which ways were tried, what the naive checks said, and lists that stay readable.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pydantic import JsonValue

from playbook.evidence.result import Observation
from playbook.proof.check import Finding
from playbook.proof.scene import Scene
from playbook.recovery.journal import Route
from playbook.recovery.rehearsal import Rehearsal, RouteReport, rehearsal_of

__all__ = ["NAIVE", "listed", "naive_said", "nothing_restored", "restored", "routes"]

NAIVE = "naive check"
"""The role under which an observation says what a naive check said."""

_LISTED = 40


def routes(scene: Scene) -> list[str]:
    """
    List the ways that the rehearsal tried. Read-only.
    """
    return sorted(rehearsal_of(scene).routes)


def restored(scene: Scene) -> Iterator[tuple[Rehearsal, Route, RouteReport]]:
    """
    Go through what each way gave back.
    """
    rehearsal = rehearsal_of(scene)
    for route in sorted(rehearsal.routes):
        yield rehearsal, route, rehearsal.routes[route]


def nothing_restored(route: Route, report: RouteReport) -> Finding:
    """
    Say that a question cannot be asked, for the restore itself failed, which is its own check's red.
    """
    return Finding.undecided(f"nothing was restored: {report.failure}", code="unavailable", subject=route)


def naive_said(report: RouteReport) -> tuple[Observation, ...]:
    """
    Put what naive checks said beside what we saw.
    """
    return tuple(
        Observation(role=NAIVE, request=one.name, value="well" if one.well else f"not well: {one.told}")
        for one in report.naive
    )


def listed(lines: Sequence[str]) -> list[JsonValue]:
    """
    Keep a list readable: its first lines, and how many more there are.
    """
    more = len(lines) - _LISTED
    return [*lines[:_LISTED], *([f"and {more} more"] if more > 0 else [])]
