"""
Owns the checks of phase 70 about the procedure and the service. They read one rehearsal and run nothing themselves.

Their subjects are the ways of backing up that the rehearsal tried: what the procedure has, by its own declaration.
"""

from __future__ import annotations

from collections.abc import Iterator

from playbook.evidence.result import Observation
from playbook.proof.check import Check, Finding, check
from playbook.proof.scene import Scene
from playbook.recovery.aspects import ASPECT_CHECKS
from playbook.recovery.findings import listed, naive_said, nothing_restored, restored, routes
from playbook.recovery.objectives import OBJECTIVE_CHECKS
from playbook.recovery.rehearsal import rehearsal_of

__all__ = ["CHECKS"]


@check(
    "backup.failure.told",
    title="A backup that fails says so",
    phase="70",
    severity="critical",
    why="A dump piped into gzip ends with 0 and leaves 20 bytes; a scheduler that looks at the exit code is content.",
    how="Run the backup against a database that is not there; it must end otherwise than with 0.",
    remedy="Write the dump to a file by itself, or set pipefail; let the scheduler alert on any end but 0.",
)
def failure_told(scene: Scene) -> Iterator[Finding]:
    """Let the backup fail."""
    rehearsal = rehearsal_of(scene)
    if rehearsal.told is None:
        yield Finding.undecided("no failing backup was tried here", code="unavailable")
        return
    seen = Observation(role="operator", request="back up a database that is not there", value=rehearsal.told_words)
    yield Finding(expected=True, actual=rehearsal.told, observations=(seen,))


@check(
    "backup.archive.complete",
    title="The archive holds every segment from the base backup to the restore point",
    phase="70",
    severity="critical",
    why="An archive_command that does nothing counts as a success; one missing segment ends every recovery there.",
    how="Compute the segments between base backup and restore point, and look for each in the archive, whole.",
    remedy="Let archive_command fail when it did not store; watch the archive itself, not pg_stat_archiver.",
    population=lambda scene: rehearsal_of(scene).archive_needed or ["(no archive)"],
)
def archive_complete(scene: Scene) -> Iterator[Finding]:
    """Compare names and sizes."""
    rehearsal = rehearsal_of(scene)
    report = rehearsal.routes.get("physical")
    if rehearsal.procedure.physical is None:
        yield Finding(expected="an archive of the log", actual="the procedure keeps none", tested=[])
    elif report is None:
        yield Finding.undecided("the physical way was not tried here", code="unavailable")
    else:
        yield Finding(
            expected=[],
            operator="eq",
            actual=list(rehearsal.archive_missing),
            tested=rehearsal.archive_needed,
            observations=naive_said(report),
        )


@check(
    "restore.completed",
    title="The restore comes to its end",
    phase="70",
    severity="critical",
    why="Most backups that fail do so here, on the worst day, because nobody had restored one before.",
    how="Restore into a new server by the procedure; every command ends with 0, the server gets to its target, "
    "and the database can be read.",
    remedy="Read the words of the command that failed; restore on every schedule, not only in an emergency.",
    population=routes,
)
def completed(scene: Scene) -> Iterator[Finding]:
    """Look how the restore ended."""
    for _, route, report in restored(scene):
        yield Finding(
            route, expected="completed", actual=report.failure or "completed", observations=naive_said(report)
        )


@check(
    "restore.canary.present",
    title="The last marker before the backup's moment came back",
    phase="70",
    severity="critical",
    why="A stale dump and a recovery that stopped early look like any other restored database.",
    how="Write numbered markers as the service's role; look for the last one before the snapshot or restore point.",
    remedy="Restore to a named point that was set after a canary, and look for the canary.",
    population=routes,
)
def canary_present(scene: Scene) -> Iterator[Finding]:
    """Look for the canary."""
    for rehearsal, route, report in restored(scene):
        if report.portrait is None:
            yield nothing_restored(route, report)
            continue
        wanted = rehearsal.truth.canary
        last = wanted if wanted in report.markers else max(report.markers, default=0)
        yield Finding(
            route,
            expected=f"marker {wanted}",
            actual=f"marker {last}",
            observations=naive_said(report),
        )


@check(
    "restore.point.exact",
    title="The restore gives back one moment that was named before: nothing less, nothing more",
    phase="70",
    severity="high",
    why="Recovery to a point in time is what undoes a wrong DELETE; a procedure that names no point cannot (BK-4).",
    how="Compare the restored markers with those committed at the exported snapshot and the named restore point.",
    remedy="Archive the log, set named restore points before risky work, and recover to one.",
    population=routes,
)
def point_exact(scene: Scene) -> Iterator[Finding]:
    """Compare sets of markers."""
    for rehearsal, route, report in restored(scene):
        if not rehearsal.truth.exact:
            yield Finding(route, expected="a moment named before", actual="the procedure names none")
            continue
        if report.portrait is None:
            yield nothing_restored(route, report)
            continue
        lost = len(rehearsal.truth.markers - report.markers)
        extra = len(report.markers - rehearsal.truth.markers)
        yield Finding(
            route,
            expected={"missing": 0, "beyond": 0},
            actual={"missing": lost, "beyond": extra},
            observations=(
                Observation(role="app", request="markers at the moment", value=len(rehearsal.truth.markers)),
                *naive_said(report),
            ),
        )


@check(
    "restore.isolation.kept",
    title="On the restored copy tenants are kept apart, and each has its rows",
    phase="70",
    severity="critical",
    why="A restored database that serves every tenant everybody's rows is a breach with a good recovery time.",
    how="Ask the checks of phase 30 of the restored database, and of the service on it.",
    remedy="Compare roles, grants and policies first; do not switch over before this is green.",
    population=routes,
)
def isolation_kept(scene: Scene) -> Iterator[Finding]:
    """Fold phase 30's results."""
    for _, route, report in restored(scene):
        asked = [one for one in report.isolation if one.outcome != "skip"]
        if not asked:
            why = report.failure or report.broken or "no check of isolation was asked"
            if report.broken is not None:
                yield Finding(route, expected="proved", actual=f"not proved: {why}")
            else:
                yield Finding.undecided(why, code="unavailable", subject=route)
            continue
        red = sorted(f"{one.id}: {one.subject or 'the whole'}" for one in asked if one.outcome in ("fail", "error"))
        ids = sorted({one.id for one in asked})
        yield Finding(
            route,
            expected=[],
            operator="empty",
            actual=listed(red),
            observations=(
                Observation(role="app", request=", ".join(ids), value=len(asked), unit="results"),
                *naive_said(report),
            ),
        )


@check(
    "restore.service.green",
    title="The service works on the restored server",
    phase="70",
    severity="critical",
    why="The time that counts ends when clients are served again, not when pg_isready says yes (BK-6).",
    how="Point the service at the restored server, wait until it is ready, log in, send the smoke requests, and write "
    "as its role.",
    remedy="Restore the roles with their passwords, promote the server, and rehearse the switch-over itself.",
    population=routes,
)
def service_green(scene: Scene) -> Iterator[Finding]:
    """Look whether it was green."""
    for _, route, report in restored(scene):
        if report.served:
            yield Finding(route, expected="green", actual=report.broken or "green")
        elif report.failure is not None and rehearsal_of(scene).lost_at_s is not None:
            yield Finding(route, expected="green", actual=f"nothing to serve: {report.failure}")
        else:
            yield Finding.undecided("no service was switched over here", code="unavailable", subject=route)


CHECKS: tuple[Check, ...] = (
    failure_told,
    archive_complete,
    completed,
    canary_present,
    point_exact,
    *ASPECT_CHECKS,
    isolation_kept,
    service_green,
    *OBJECTIVE_CHECKS,
)
