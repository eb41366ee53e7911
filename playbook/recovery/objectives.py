"""
Owns the checks of recovery time and recovery point against the target's objectives.
"""

from __future__ import annotations

from collections.abc import Iterator

from playbook.evidence.result import Observation
from playbook.proof.check import Check, Finding, check
from playbook.proof.scene import Scene
from playbook.recovery.findings import restored, routes
from playbook.recovery.journal import Route
from playbook.recovery.rehearsal import RTO_STAGES, Rehearsal, rehearsal_of

__all__ = ["OBJECTIVE_CHECKS"]

_MEGABYTE = 1_000_000


@check(
    "restore.rto.met",
    title="The service is back within the recovery time objective",
    phase="70",
    severity="high",
    why="The plans promise two hours and measured nothing (BK-4).",
    how="Time detection, fetch, restore, replay, verification and switch-over, from the kill to green.",
    remedy="Look which part takes longest; a base backup with a spare server standing by is the usual cure.",
    population=routes,
)
def rto_met(scene: Scene) -> Iterator[Finding]:
    """Add up the parts."""
    wanted = scene.target.objectives.rto_s
    for rehearsal, route, report in restored(scene):
        if wanted is None:
            yield Finding.undecided("the target declares no objectives.rto_s", code="unavailable", subject=route)
        elif rehearsal.lost_at_s is None:
            yield Finding.undecided("nothing was lost in this rehearsal", code="unavailable", subject=route)
        elif report.failure is None and not report.served:
            yield Finding.undecided("no service was switched over here", code="unavailable", subject=route)
        elif report.failure is not None or report.broken is not None:
            never = f"never green: {report.failure or report.broken}"
            yield Finding(
                route, expected=f"green within {wanted:.0f} s", actual=never, observations=_parts(rehearsal, route)
            )
        else:
            took = sum(rehearsal.rto_s(route).values())
            size = report.bytes / _MEGABYTE
            small = _smaller(scene, size, took)
            yield Finding(
                route,
                expected=wanted,
                operator="le",
                actual=round(took, 2),
                observations=(
                    *_parts(rehearsal, route),
                    Observation(request="restored", value=round(size, 1), unit="MB"),
                ),
                strength="strong" if small is None else "partial",
                strength_reason=small,
            )


def _smaller(scene: Scene, size_mb: float, took_s: float) -> str | None:
    """
    Say why the time on this subject is not the time on the real one; None when it is as large.
    """
    rate = size_mb / max(took_s, 0.001)
    seen = f"{size_mb:.0f} MB at {rate:.1f} MB/s on this machine"
    declared = scene.target.database.size_mb if scene.target.database is not None else None
    if declared is None:
        return f"{seen}; the target declares no size, so that the time on the real one is not known"
    if size_mb < declared:
        return f"{seen}; the target declares {declared:.0f} MB, which at that rate are {declared / rate:.0f} s"
    return None


def _parts(rehearsal: Rehearsal, route: Route) -> tuple[Observation, ...]:
    """
    Spell the parts of the recovery time, in the order that they happened, and what each moved.
    """
    found = []
    for stage in rehearsal.stages(route):
        if stage.name not in RTO_STAGES:
            continue
        found.append(Observation(request=stage.name, value=round(stage.duration_s, 3), unit="s"))
        if stage.bytes is not None:
            found.append(Observation(request=f"{stage.name}: moved", value=stage.bytes, unit="bytes"))
    return tuple(found)


@check(
    "restore.rpo.met",
    title="No more is lost than the recovery point objective allows",
    phase="70",
    severity="high",
    why="A dump a night loses up to a day, whatever the dump is worth; the plans promise an hour (BK-4).",
    how="From the markers: the time between the last one that came back and the kill, by the better way; or, when that "
    "is longer, the declared time between two things being safe.",
    remedy="Archive the log with an archive_timeout well below the objective.",
)
def rpo_met(scene: Scene) -> Iterator[Finding]:
    """Compare measured and declared loss."""
    rehearsal = rehearsal_of(scene)
    wanted = scene.target.objectives.rpo_s
    if wanted is None:
        yield Finding.undecided("the target declares no objectives.rpo_s", code="unavailable")
        return
    if rehearsal.lost_at_s is None:
        yield Finding.undecided("nothing was lost in this rehearsal", code="unavailable")
        return
    measured = {route: rehearsal.rpo_s(route) for route in sorted(rehearsal.routes)}
    known = [one for one in measured.values() if one is not None]
    if not known:
        yield Finding(expected=f"{wanted:.0f} s", actual="no marker came back")
        return
    bound = rehearsal.procedure.interval_s
    yield Finding(
        expected=wanted,
        operator="le",
        actual=round(max(min(known), bound), 2),
        observations=(
            *(
                Observation(
                    request=f"lost by the {route} way: {rehearsal.lost(route)} of {len(rehearsal.written)} markers",
                    value=None if seconds is None else round(seconds, 3),
                    unit="s",
                )
                for route, seconds in measured.items()
            ),
            Observation(request="declared time between two backups", value=bound, unit="s"),
        ),
        strength="partial",
        strength_reason="measured in one short drill under light traffic; the declared interval bounds the rest",
    )


OBJECTIVE_CHECKS: tuple[Check, ...] = (rto_met, rpo_met)
