"""
Owns what a rehearsal came to: the truth, what each way gave back, and when. Checks read it and run nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from playbook.errors import Unavailable
from playbook.evidence.result import CheckResult
from playbook.proof.scene import Scene
from playbook.recovery.journal import Command, Journal, Route, Stage
from playbook.recovery.naive import Naive
from playbook.recovery.portrait import Portrait
from playbook.recovery.procedure import Procedure
from playbook.recovery.traffic import Marker

__all__ = ["RTO_STAGES", "Rehearsal", "RouteReport", "Truth", "rehearsal_of", "staged"]

_MEMO = "recovery.rehearsal"

RTO_STAGES = ("detect", "fetch", "restore", "replay", "verify", "switch")
"""The parts of the recovery time: the backup is taken before, and the proof of isolation does not hold clients up."""


@dataclass(frozen=True, slots=True)
class Truth:
    """
    The subject at the moment that both ways must give back.

    `exact` says that the procedure names that moment itself; otherwise traffic was held while it ran, so that there is
    one. `canary` is the last marker before it.
    """

    portrait: Portrait
    markers: frozenset[int]
    canary: int
    at_s: float
    exact: bool


@dataclass(slots=True)
class RouteReport:
    """
    What one way gave back. `failure`: how the procedure itself said that it failed; then nothing else was seen.

    `logins` are the roles that cannot get in, with why; `broken` is what does not work of the service on the restored
    server (None: it is green), asked only where `served`.
    """

    route: Route
    failure: str | None = None
    portrait: Portrait | None = None
    markers: frozenset[int] = frozenset()
    latest: frozenset[int] | None = None
    logins: Mapping[str, str] = field(default_factory=dict)
    served: bool = False
    broken: str | None = None
    isolation: tuple[CheckResult, ...] = ()
    naive: tuple[Naive, ...] = ()
    bytes: int = 0

    @property
    def recovered(self) -> frozenset[int]:
        """The markers that came back in the end."""
        return self.markers if self.latest is None else self.latest


@dataclass(slots=True)
class Rehearsal:
    """
    One rehearsal of one procedure on one subject.

    `written` are all markers whose commit was answered, `lost_at_s` is when the server was killed (None: no loss was
    part of it). `told`: the procedure ends otherwise than with 0 when its dump fails (None: not asked).
    `archive_needed` and `archive_missing` name segments of the log.
    """

    procedure: Procedure
    truth: Truth
    journal: Journal
    routes: dict[Route, RouteReport] = field(default_factory=dict)
    written: tuple[Marker, ...] = ()
    lost_at_s: float | None = None
    told: bool | None = None
    told_words: str = ""
    archive_needed: tuple[str, ...] = ()
    archive_missing: tuple[str, ...] = ()

    @property
    def commands(self) -> Sequence[Command]:
        return self.journal.commands

    def stages(self, route: Route) -> list[Stage]:
        """
        The stages of one way, and those of both.
        """
        return [one for one in self.journal.stages if one.route in (None, route)]

    def rto_s(self, route: Route) -> Mapping[str, float]:
        """
        Seconds by part of the recovery time; a part that did not happen is absent.
        """
        found: dict[str, float] = {}
        for one in self.stages(route):
            if one.name in RTO_STAGES:
                found[one.name] = found.get(one.name, 0.0) + one.duration_s
        return found

    def rpo_s(self, route: Route) -> float | None:
        """
        Seconds between the last marker that came back and the loss; None when nothing came back or nothing was lost.
        """
        if self.lost_at_s is None:
            return None
        back = self.routes[route].recovered
        kept = [one.committed_s for one in self.written if one.n in back]
        return self.lost_at_s - max(kept) if kept else None

    def lost(self, route: Route) -> int:
        """
        How many answered commits did not come back.
        """
        return sum(one.n not in self.routes[route].recovered for one in self.written)


def staged(scene: Scene, rehearsal: Rehearsal) -> Scene:
    """
    Return the scene in which checks find this rehearsal.
    """
    return replace(scene, memo={**scene.memo, _MEMO: rehearsal})


def rehearsal_of(scene: Scene) -> Rehearsal:
    """
    Find the rehearsal of a scene. Raises Unavailable when none was staged.
    """
    found = scene.memo.get(_MEMO)
    if not isinstance(found, Rehearsal):
        raise Unavailable(
            "no restore was rehearsed here", hint="Observe it in phase 70, on a stack with spare servers."
        )
    return found
