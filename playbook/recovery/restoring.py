"""
Owns looking at one restored server: what it is (portrait, markers, logins) and whether the service works on it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

import psycopg

from playbook.errors import PlaybookError
from playbook.postgres.connect import connect
from playbook.postgres.digest import Grouping
from playbook.postgres.role import Role
from playbook.proof.check import Check
from playbook.proof.execute import run_checks
from playbook.proof.scene import Scene
from playbook.recovery.journal import Journal
from playbook.recovery.portrait import read_portrait
from playbook.recovery.rehearsal import RouteReport
from playbook.recovery.subject import Subject, read_markers
from playbook.recovery.traffic import refused_write
from playbook.recovery.yard import Yard
from playbook.service.smoke import smoke
from playbook.stack.protocol import Endpoints, Server

__all__ = ["Aftermath", "look"]

_ROLES: tuple[Role, ...] = ("owner", "app", "migrator", "backup")
_WORDS = 300


def look(report: RouteReport, server: Server, database: str, groupings: Mapping[str, Grouping]) -> None:
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


@dataclass(frozen=True, slots=True)
class Aftermath:
    """
    Where restored servers are put to use: the yard, the state that they stand for, the subject that is gone.

    `checks` are asked of a restored copy; they may write, for it is a sealed throw-away.
    """

    yard: Yard
    scene: Scene
    subject: Subject
    journal: Journal
    checks: Sequence[Check]

    def serve(self, report: RouteReport, server: Server, front: ExitStack) -> None:
        """
        Switch the service over: restarted on the restored database, ready, smoke-tested, writing; then ask the checks.

        It serves from there until the next switch-over, or until `front` closes and it comes home.
        """
        report.served = True
        try:
            with self.journal.stage("switch", report.route):
                endpoints = front.enter_context(self.yard.serve(server, self.subject.database))
                there = self._scene(server, endpoints)
                report.broken = smoke(there) or self._read_only(server)
            if report.broken is None:
                server.seal(self.subject.database)
        except (PlaybookError, psycopg.Error) as error:
            report.broken = f"the service does not start on it: {_line(error)}"
            return
        if report.broken is None and not report.isolation:
            with self.journal.stage("prove", report.route):
                report.isolation = tuple(run_checks(self.checks, there))

    def prove(self, report: RouteReport, server: Server) -> None:
        """
        Ask the checks without a service; those that need one are skipped with that reason.
        """
        server.seal(self.subject.database)
        report.isolation = tuple(run_checks(self.checks, self._scene(server, None)))

    def _read_only(self, server: Server) -> str | None:
        refused = refused_write(server.database(self.subject.database).dsn("app"), self.subject.touch)
        return None if refused is None else f"it cannot be written to: {refused}"

    def _scene(self, server: Server, endpoints: Endpoints | None) -> Scene:
        return Scene(
            state=self.scene.state,
            target=self.subject.target,
            seed=self.scene.seed,
            site_database=server.database(self.subject.database),
            site_endpoints=endpoints,
            secrets=self.scene.secrets,
        )


def _refused(server: Server, database: str, role: Role) -> str | None:
    try:
        connect(server.database(database).dsn(role), role, purpose="login").close()
    except psycopg.OperationalError as error:
        return _line(error)
    return None


def _line(error: Exception) -> str:
    text = error.message if isinstance(error, PlaybookError) else str(error)
    return " ".join(text.split())[-_WORDS:] or type(error).__name__
