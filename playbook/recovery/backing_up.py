"""
Owns backing a subject up, each way that a procedure has, at one moment whose truth is read; and a backup that fails.
"""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from playbook.postgres.connect import connect
from playbook.recovery.archive import wait_until_archived
from playbook.recovery.journal import CommandFailed, Journal, size_of
from playbook.recovery.logical import LogicalBackup, dump
from playbook.recovery.physical import PhysicalBackup, back_up_base
from playbook.recovery.procedure import LogicalPlan, Procedure, ScriptPlan
from playbook.recovery.rehearsal import Truth
from playbook.recovery.script import back_up_by_script
from playbook.recovery.subject import Subject, freeze, read_markers
from playbook.recovery.traffic import Traffic
from playbook.recovery.yard import Yard

__all__ = ["Backups", "back_up", "tells_failure"]

_BEFORE = 10
"""Markers written before each backup."""

_NO_DATABASE = "playbook_no_such_database"


@dataclass(frozen=True, slots=True)
class Backups:
    """
    What was backed up: the truth then, and what each way left (a folder, where a script did it).
    """

    truth: Truth
    logical: LogicalBackup | Path | None
    physical: PhysicalBackup | None


def back_up(
    journal: Journal, subject: Subject, procedure: Procedure, traffic: Traffic, repository: Path, *, rest: bool = False
) -> Backups:
    """
    Back the subject up each way that the procedure has, under traffic, at one moment whose truth is read.

    With `rest` the base is taken between two transactions, and traffic ends before that moment.
    """
    repository.mkdir()
    journal.yard.hand_over(repository)
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
