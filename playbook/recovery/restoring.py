"""
Owns looking at one restored server: what it is (portrait, markers, logins) and whether the service works on it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack

import psycopg

from playbook.errors import PlaybookError, StackError
from playbook.postgres.connect import connect
from playbook.postgres.digest import Grouping
from playbook.postgres.role import Role
from playbook.proof.check import Check
from playbook.proof.execute import run_checks
from playbook.proof.scene import Scene
from playbook.recovery.journal import Journal
from playbook.recovery.portrait import read_portrait
from playbook.recovery.rehearsal import RouteReport
from playbook.recovery.restored import RestoredDatabase
from playbook.recovery.subject import Subject, read_markers
from playbook.recovery.yard import Spare, Yard
from playbook.service.smoke import smoke

__all__ = ["look", "prove", "serve"]

_ROLES: tuple[Role, ...] = ("owner", "app", "migrator", "backup")


def look(report: RouteReport, server: Spare, database: str, groupings: Mapping[str, Grouping]) -> None:
    """
    Read what came back into the report. Read-only, also on a server that still recovers.
    """
    try:
        with connect(server.dsn(database), "superuser", read_only=True, purpose="verify") as connection:
            report.markers = read_markers(connection)
            report.portrait = read_portrait(connection, groupings)
            report.bytes = report.portrait.bytes
    except psycopg.Error as error:
        report.failure = f"the restored database cannot be read: {_line(error)}"
        return
    report.logins = {role: why for role in _ROLES if (why := _refused(server, database, role)) is not None}


def serve(
    report: RouteReport,
    journal: Journal,
    yard: Yard,
    scene: Scene,
    subject: Subject,
    server: Spare,
    checks: Sequence[Check],
) -> None:
    """
    Switch the service over to a restored database: started there, ready, smoke-tested; then ask `checks` of it.

    The database is sealed first: those checks write, and it is a throw-away.
    """
    report.served = True
    with ExitStack() as place:
        try:
            server.seal(subject.database)
            restored = RestoredDatabase(server, subject.database)
            with journal.stage("switch", report.route):
                endpoints = place.enter_context(yard.serve(restored))
        except (PlaybookError, psycopg.Error) as error:
            report.broken = f"the service does not start on it: {_line(error)}"
            return
        there = Scene(
            state=scene.state,
            target=subject.target,
            seed=scene.seed,
            site_database=restored,
            site_endpoints=endpoints,
            secrets=scene.secrets,
        )
        with journal.stage("switch", report.route):
            report.broken = smoke(there)
        if report.broken is None:
            with journal.stage("prove", report.route):
                report.isolation = tuple(run_checks(checks, there))


def prove(report: RouteReport, scene: Scene, subject: Subject, server: Spare, checks: Sequence[Check]) -> None:
    """
    Ask checks that need no service of a restored database.
    """
    server.seal(subject.database)
    there = Scene(
        state=scene.state,
        target=subject.target,
        seed=scene.seed,
        site_database=RestoredDatabase(server, subject.database),
        secrets=scene.secrets,
    )
    report.isolation = tuple(run_checks(checks, there))


def _refused(server: Spare, database: str, role: Role) -> str | None:
    try:
        connect(server.dsn(database, role), role, purpose="login").close()
    except psycopg.OperationalError as error:
        return _line(error)
    return None


def _line(error: Exception) -> str:
    if isinstance(error, StackError):
        return " ".join(error.message.split())[-300:]
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
