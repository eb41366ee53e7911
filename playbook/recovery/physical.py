"""
Owns the physical way: a base backup, a named restore point, and recovery to it from the archive of the log.

The rule that silent losses taught (FACTS §7): canary, named restore point, the base's own log purged, and then
pg_is_in_recovery() asked; neither an exit code nor an answer on the port says that the point was reached.
"""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import psycopg

from playbook.errors import StackError
from playbook.postgres.connect import connect
from playbook.recovery.archive import segments
from playbook.recovery.journal import CommandFailed, Journal, libpq_environment, size_of
from playbook.recovery.procedure import PhysicalPlan
from playbook.stack.protocol import Server

__all__ = [
    "PhysicalBackup",
    "Point",
    "back_up_base",
    "configure",
    "recover",
    "recover_further",
]

_ROUTE: Final = "physical"
_LIMIT_S = 60.0
_ASK = "SELECT pg_is_in_recovery(), CASE WHEN pg_is_in_recovery() THEN pg_get_wal_replay_pause_state() END"


@dataclass(frozen=True, slots=True)
class Point:
    """
    A named restore point: its name, its position in the log, and the segment that holds it.
    """

    name: str
    lsn: str
    segment: str


def back_up_base(journal: Journal, dsn: str, folder: Path) -> Path:
    """
    Take a base backup with the log that it needs by itself.
    """
    options = ("--checkpoint=fast", "--wal-method=stream", "--no-password", "--no-sync")
    journal.run(_ROUTE, "backup: base", ("pg_basebackup", f"--pgdata={folder}", *options), env=libpq_environment(dsn))
    return folder


@dataclass(frozen=True, slots=True)
class PhysicalBackup:
    """
    A base backup, the archive that goes with it, the point to reach, and when the base was begun.
    """

    base: Path
    archive: Path
    point: Point
    begun: datetime

    @property
    def needed(self) -> list[str]:
        """The segments without which the point is not reached."""
        return segments(self.base, self.point.segment)


def recover(journal: Journal, server: Server, plan: PhysicalPlan, backup: PhysicalBackup) -> None:
    """
    Fetch a base, purge its log, and replay the archive to the plan's target.

    Returns when the server says itself that it is at a named target or has left recovery. Raises CommandFailed.
    """
    with journal.stage("fetch", _ROUTE):
        shutil.copytree(backup.base, server.data_directory, symlinks=True)
        server.data_directory.chmod(0o700)
    journal.weigh(size_of(server.data_directory))
    archive = backup.archive
    with journal.stage("restore", _ROUTE):
        if plan.purge:
            _purge(server.data_directory / "pg_wal")
        targets = {
            "point": {"recovery_target_name": backup.point.name, "recovery_target_action": "pause"},
            "before-base": {"recovery_target_time": backup.begun.isoformat(), "recovery_target_action": "promote"},
            "latest": {},
        }[plan.target]
        command = f"cp '{archive}/%f' %p" if plan.fetches else f"cp '{archive}/gone/%f' %p"
        configure(
            server.data_directory,
            {"archive_mode": "off", "restore_command": command, "recovery_target_timeline": "latest", **targets},
        )
        if plan.signal:
            (server.data_directory / "recovery.signal").touch()
    with journal.stage("replay", _ROUTE):
        _start_and_poll(server)
    journal.weigh(sum(path.stat().st_size for path in archive.iterdir() if re.fullmatch(r"[0-9A-F]{24}", path.name)))


def recover_further(journal: Journal, server: Server, archive: Path) -> None:
    """
    Go on from a named point to the end of the archive, and leave recovery. Raises CommandFailed.
    """
    with journal.stage("replay", _ROUTE):
        server.stop()
        configure(
            server.data_directory,
            {
                "restore_command": f"cp '{archive}/%f' %p",
                "recovery_target_timeline": "latest",
                "recovery_target_name": "",
                "recovery_target_action": "promote",
            },
        )
        _start_and_poll(server, promoted=True)


def _start_and_poll(server: Server, *, promoted: bool = False) -> None:
    try:
        server.start()
        end = time.monotonic() + _LIMIT_S
        with connect(server.dsn("postgres"), "superuser", autocommit=True, purpose="replay") as connection:
            while True:
                recovering, pause = connection.execute(_ASK).fetchone() or (True, None)
                if not recovering or (pause == "paused" and not promoted):
                    return
                if time.monotonic() > end:
                    raise CommandFailed(f"the server is still recovering after {_LIMIT_S:.0f} s")
                time.sleep(0.02)
    except (StackError, psycopg.OperationalError) as error:
        raise CommandFailed(f"the restored server ended: {_last_words(server.log())}") from error


def configure(data: Path, settings: Mapping[str, str]) -> None:
    """
    Append settings to those that ALTER SYSTEM writes; the last one counts.
    """
    with (data / "postgresql.auto.conf").open("a", encoding="utf-8") as file:
        file.writelines("{} = '{}'\n".format(name, value.replace("'", "''")) for name, value in settings.items())


def _purge(folder: Path) -> None:
    for path in folder.iterdir():
        if path.is_file():
            path.unlink()
        else:
            shutil.rmtree(path)
            path.mkdir(mode=0o700)


def _last_words(log: str) -> str:
    told = [line for line in log.splitlines() if "FATAL" in line or "PANIC" in line]
    return (told or log.splitlines() or ["(nothing in its log)"])[-1].split("]", 1)[-1].strip()
