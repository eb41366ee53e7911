"""
Owns the drill: markers under live traffic, backup, loss, restore into new servers, verification, switch-over.

Destroys only the clone that it made itself.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

import psycopg

from playbook.errors import StackError
from playbook.postgres.connect import connect
from playbook.proof.check import Check
from playbook.proof.scene import Scene
from playbook.recovery.archive import missing_segments
from playbook.recovery.backing_up import back_up, tells_failure
from playbook.recovery.journal import CommandFailed, Journal
from playbook.recovery.logical import LogicalBackup, restore_dump
from playbook.recovery.naive import ask_dump, ask_exits, ask_physical
from playbook.recovery.physical import (
    PhysicalBackup,
    recover,
    recover_further,
)
from playbook.recovery.procedure import LogicalPlan, Procedure, ScriptPlan
from playbook.recovery.rehearsal import Rehearsal, RouteReport
from playbook.recovery.restoring import Aftermath, look
from playbook.recovery.script import newest, restore_by_script
from playbook.recovery.subject import Subject, prepare_subject, read_markers
from playbook.recovery.yard import Yard

__all__ = ["rehearse"]

_AFTER = 25
"""Markers written between the last backup and the loss."""

_DETECT_PAUSE_S = 0.05
_DETECT_LIMIT_S = 10.0


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
