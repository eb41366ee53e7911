"""
Owns the drill: markers under live traffic, backup, loss, restore into new servers, verification, switch-over.

Destroys only the clone that it made itself.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psycopg

from playbook.errors import StackError
from playbook.postgres.connect import connect
from playbook.proof.check import Check
from playbook.proof.scene import Scene
from playbook.recovery.journal import CommandFailed, Journal, size_of
from playbook.recovery.logical import LogicalBackup, dump, restore_dump
from playbook.recovery.naive import ask_dump, ask_exits, ask_physical
from playbook.recovery.physical import (
    PhysicalBackup,
    back_up_base,
    missing_segments,
    recover,
    recover_further,
    wait_until_archived,
)
from playbook.recovery.procedure import LogicalPlan, Procedure, ScriptPlan
from playbook.recovery.rehearsal import Rehearsal, RouteReport, Truth
from playbook.recovery.restoring import Aftermath, look
from playbook.recovery.script import back_up_by_script, newest, restore_by_script
from playbook.recovery.subject import Subject, freeze, prepare_subject, read_markers
from playbook.recovery.traffic import Traffic
from playbook.recovery.yard import Yard

__all__ = ["Backups", "back_up", "rehearse", "tells_failure"]

_BEFORE, _AFTER = 10, 25
"""Markers written before each backup, and between the last one and the loss."""

_NO_DATABASE = "playbook_no_such_database"
_DETECT_PAUSE_S = 0.05
_DETECT_LIMIT_S = 10.0


@dataclass(frozen=True, slots=True)
class Backups:
    """
    What was backed up: the truth then, and what each way left (a folder, where a script did it).
    """

    truth: Truth
    logical: LogicalBackup | Path | None
    physical: PhysicalBackup | None


def rehearse(
    scene: Scene,
    yard: Yard,
    procedure: Procedure,
    *,
    isolation: Sequence[Check] = (),
    say: Callable[[str], None] = lambda _: None,
    clock: Callable[[], float] = time.monotonic,
) -> Rehearsal:
    """
    Rehearse a procedure on a clone of a state, with the loss of the whole server.

    `isolation` are the checks that the restored copies must pass. Raises GuardError when the state is not sealed.
    """
    with prepare_subject(scene.database, yard, scene.target, procedure) as subject:
        journal = Journal(yard, clock)
        with subject.traffic(journal.now) as traffic:
            backups = back_up(journal, subject, procedure, traffic, yard.folder / "repository")
            rehearsal = Rehearsal(procedure, backups.truth, journal)
            rehearsal.told, rehearsal.told_words = tells_failure(yard, subject, procedure)
            if backups.physical is not None:
                rehearsal.archive_needed = tuple(backups.physical.needed)
                rehearsal.archive_missing = tuple(missing_segments(subject.archive, backups.physical.needed))
            say(f"backed up {backups.truth.portrait.count} rows under traffic, at marker {backups.truth.canary}")
            traffic.wait_for(_AFTER)
            rehearsal.lost_at_s = journal.now()
            subject.destroy()
            rehearsal.written = traffic.markers
            say(f"killed the server and moved its data away; {len(rehearsal.written)} markers had been committed")
            _detect(journal, subject)
        after = Aftermath(yard, scene, subject, journal, isolation)
        with ExitStack() as front:
            if backups.physical is not None:
                _physically(rehearsal, after, backups.physical, front)
            if backups.logical is not None:
                _logically(rehearsal, after, backups.logical, front)
    for route, report in rehearsal.routes.items():
        total = sum(rehearsal.rto_s(route).values())
        say(f"{route}: {report.failure or report.broken or f'serving again after {total:.1f} s'}")
    return rehearsal


def back_up(
    journal: Journal, subject: Subject, procedure: Procedure, traffic: Traffic, repository: Path, *, rest: bool = False
) -> Backups:
    """
    Back the subject up each way that the procedure has, under traffic, at one moment whose truth is read.

    With `rest` the base is taken between two transactions, and traffic ends before that moment.
    """
    repository.mkdir()
    traffic.wait_for(_BEFORE)
    plan = procedure.logical
    if isinstance(plan, ScriptPlan):
        return _by_script(journal, subject, plan, traffic, repository)
    base = None
    begun = datetime.now(UTC)
    if procedure.physical is not None:
        with journal.stage("backup", "physical"), traffic.held() if rest else nullcontext():
            base = back_up_base(journal, subject.dsn(), repository / "base")
        journal.weigh(size_of(base))
        traffic.wait_for(_BEFORE)
        with connect(subject.dsn(), "superuser", autocommit=True, purpose="point") as connection:
            connection.execute("SELECT pg_switch_wal()")
        traffic.wait_for(_BEFORE)
    if rest:
        traffic.rest()
    logical = None
    with freeze(subject, traffic, name="playbook-drill", now=journal.now) as frozen:
        if isinstance(plan, LogicalPlan):
            with journal.stage("backup", "logical"):
                logical = dump(
                    journal, subject.server, subject.database, plan, repository / "dump", snapshot=frozen.snapshot
                )
            journal.weigh(sum(size_of(path) for path in logical.files))
    if base is None or frozen.point is None:
        return Backups(frozen.truth, logical, None)
    with connect(subject.dsn(), "superuser", autocommit=True, purpose="point") as connection:
        connection.execute("SELECT pg_switch_wal()")
    wait_until_archived(subject.dsn(), frozen.point.segment)
    return Backups(frozen.truth, logical, PhysicalBackup(base, subject.archive, frozen.point, begun))


def tells_failure(yard: Yard, subject: Subject, procedure: Procedure) -> tuple[bool | None, str]:
    """
    Let the logical backup fail, by a database that is not there, and see whether the procedure says so.
    """
    journal = Journal(yard)
    folder = yard.folder / "failing"
    plan = procedure.logical
    if plan is None:
        return None, ""
    try:
        if isinstance(plan, ScriptPlan):
            back_up_by_script(journal, subject.server.dsn(_NO_DATABASE), plan, folder)
        else:
            dump(journal, subject.server, _NO_DATABASE, plan, folder, snapshot=None)
    except CommandFailed as error:
        return True, str(error)
    left = ", ".join(f"{path.name} of {path.stat().st_size} bytes" for path in sorted(folder.iterdir()))
    return False, f"exit 0; it left {left or 'nothing'}"


def _by_script(journal: Journal, subject: Subject, plan: ScriptPlan, traffic: Traffic, repository: Path) -> Backups:
    # A script names no moment of its own: traffic is held, so that there is a truth to compare with.
    with traffic.held(), freeze(subject, traffic, name=None, now=journal.now) as frozen:
        with journal.stage("backup", "logical"):
            folder = back_up_by_script(journal, subject.dsn(), plan, repository / "script")
        journal.weigh(size_of(folder))
        with connect(subject.dsn(), "superuser", read_only=True, purpose="truth") as connection:
            markers = read_markers(connection)
    truth = Truth(frozen.truth.portrait, markers, max(markers, default=0), frozen.truth.at_s, exact=False)
    return Backups(truth, folder, None)


def _detect(journal: Journal, subject: Subject) -> None:
    with journal.stage("detect", None):
        end = journal.clock() + _DETECT_LIMIT_S
        while journal.clock() < end:
            try:
                connect(subject.dsn(), "superuser", purpose="detect", connect_timeout_s=1).close()
            except psycopg.OperationalError:
                return
            time.sleep(_DETECT_PAUSE_S)
    raise StackError("The killed server still answers", hint="Does something else listen on its port?")


def _physically(rehearsal: Rehearsal, after: Aftermath, backup: PhysicalBackup, front: ExitStack) -> None:
    report = rehearsal.routes["physical"] = RouteReport("physical")
    journal, plan, subject = rehearsal.journal, rehearsal.procedure.physical, after.subject
    assert plan is not None
    with after.yard.spare() as server:
        try:
            recover(journal, server, plan, backup)
            with journal.stage("verify", "physical"):
                look(report, server, subject.database, subject.groupings)
            recover_further(journal, server, subject.archive)
            with connect(server.dsn(subject.database), "superuser", read_only=True, purpose="verify") as connection:
                report.latest = read_markers(connection)
        except CommandFailed as error:
            report.failure = str(error)
        seen = ask_physical(after.yard, backup.base, None, answers=server.running)
        report.naive = (*ask_exits(journal.commands, "physical"), *seen)
        if report.failure is None:
            after.serve(report, server, front)


def _logically(rehearsal: Rehearsal, after: Aftermath, backup: LogicalBackup | Path, front: ExitStack) -> None:
    report = rehearsal.routes["logical"] = RouteReport("logical")
    journal, plan, subject = rehearsal.journal, rehearsal.procedure.logical, after.subject
    with after.yard.spare() as server:
        fetched = after.yard.folder / "fetched"
        try:
            if isinstance(plan, ScriptPlan) and isinstance(backup, Path):
                restore_by_script(journal, server, subject.database, plan, backup, folder=fetched)
            elif isinstance(plan, LogicalPlan) and isinstance(backup, LogicalBackup):
                restore_dump(journal, server, subject.database, plan, backup, folder=fetched)
            with journal.stage("verify", "logical"):
                look(report, server, subject.database, subject.groupings)
        except CommandFailed as error:
            report.failure = str(error)
        file = newest(backup) if isinstance(backup, Path) else backup.dump
        report.naive = (*ask_exits(journal.commands, "logical"), *ask_dump(after.yard, file))
        if report.failure is None:
            after.serve(report, server, front)
