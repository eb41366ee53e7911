"""
Owns the subject of a rehearsal: a sealed clone of a state's server, planted and under traffic, that may be lost.

The state itself is only read: whatever is killed or moved away is the clone.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from playbook.errors import GuardError, StackError
from playbook.postgres.connect import connect
from playbook.postgres.digest import Grouping
from playbook.recovery.archive import archive_settings
from playbook.recovery.journal import libpq_environment
from playbook.recovery.physical import Point, configure
from playbook.recovery.planting import SCHEMA, plant, with_planted
from playbook.recovery.portrait import read_groupings, read_portrait
from playbook.recovery.procedure import Procedure
from playbook.recovery.rehearsal import Truth
from playbook.recovery.thinning import thin
from playbook.recovery.traffic import Touch, Traffic, find_touch
from playbook.recovery.yard import Yard
from playbook.stack.guard import require_sealed
from playbook.stack.protocol import Database, Server
from playbook.target.target import Target

__all__ = ["Frozen", "Subject", "freeze", "prepare_subject", "read_markers"]

_RETRIES = 50
_FEW = 3
"""Tenants that a small subject keeps with their rows."""


@dataclass(frozen=True, slots=True)
class Subject:
    """
    The clone, the database in it that counts, where its log is archived, and what its traffic changes.
    """

    server: Server
    database: str
    archive: Path
    lost: Path
    target: Target
    groupings: Mapping[str, Grouping]
    touch: Touch | None

    def dsn(self) -> str:
        """
        The superuser's way in.
        """
        return self.server.dsn(self.database)

    def traffic(self, clock: Callable[[], float]) -> Traffic:
        """
        Make a writer as the service's own role; it starts with its block.
        """
        return Traffic(self.server.database(self.database).dsn("app"), self.touch, clock=clock)

    def destroy(self) -> Path:
        """
        Kill the server and move its data away: the loss. Raises GuardError when it is not sealed.
        """
        if not self.server.database(self.database).sealed:
            raise GuardError(f"{self.database} of the subject is not sealed", hint="Only a clone of ours is destroyed.")
        self.server.kill()
        return Path(shutil.move(self.server.data_directory, self.lost))


@dataclass(frozen=True, slots=True)
class Frozen:
    """
    One moment of the subject, held open: its truth, the snapshot that others may use, and the named restore point.
    """

    truth: Truth
    snapshot: str
    point: Point | None


@contextmanager
def prepare_subject(
    source: Database, yard: Yard, target: Target, procedure: Procedure, *, small: bool = False
) -> Iterator[Subject]:
    """
    Clone a state's server, start it as the procedure wants it, plant it; destroy it at the end.

    A `small` one keeps the rows of a few tenants only and does not wait for the disk: no time is measured on it.
    Raises GuardError when the source is not sealed, StackError when it cannot be cloned.
    """
    require_sealed(source)
    archive = yard.folder / "archive"
    archive.mkdir()
    yard.hand_over(archive)
    with yard.spare() as server:
        argv = ("pg_basebackup", f"--pgdata={server.data_directory}", "--checkpoint=fast", "--no-password", "--no-sync")
        done = yard.run(argv, env=libpq_environment(source.dsn("superuser")))
        if done.exit_code != 0:
            raise StackError(f"The subject cannot be cloned: {done.stderr.strip()}", hint="Is the state up?")
        if procedure.physical is not None:
            configure(server.data_directory, archive_settings(archive, procedure.physical, durable=not small))
        server.start()
        server.seal(source.name)
        app, backup = (str(conninfo_to_dict(source.dsn(role))["user"]) for role in ("app", "backup"))
        plant(server, source.name, app=app, backup=backup)
        if small and target.tenancy is not None:
            thin(server, source.name, target.tenancy, keep=_FEW)
        extended = with_planted(target)
        with connect(server.dsn(source.name), "superuser", read_only=True, purpose="truth") as connection:
            groupings = read_groupings(connection, extended.tenancy)
        touch = None
        if target.tenancy is not None:
            tenancy = target.tenancy
            touch = find_touch(server.dsn(source.name), role=app, root=tenancy.root, setting=tenancy.setting)
        yield Subject(server, source.name, archive, yard.folder / "lost", extended, groupings, touch)


@contextmanager
def freeze(subject: Subject, traffic: Traffic, *, name: str | None, now: Callable[[], float]) -> Iterator[Frozen]:
    """
    Take one moment of the subject: a snapshot and, with a name, a restore point between which nothing was committed.

    The snapshot stays open inside the block. Raises StackError when the subject is never quiet for an instant.
    """
    with connect(subject.dsn(), "superuser", purpose="truth") as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        with traffic.held():
            snapshot, point, at_s = _quiet_moment(subject, connection, name, now)
        portrait = read_portrait(connection, subject.groupings)
        markers = read_markers(connection)
        yield Frozen(Truth(portrait, markers, max(markers, default=0), at_s, exact=name is not None), snapshot, point)


def read_markers(connection: psycopg.Connection[tuple[object, ...]]) -> frozenset[int]:
    """
    Read which markers are there; none when their table is not. Read-only.
    """
    try:
        with connection.transaction():
            rows = connection.execute(sql.SQL("SELECT n FROM {}").format(sql.Identifier(SCHEMA, "marker"))).fetchall()
    except psycopg.errors.UndefinedTable:
        return frozenset()
    return frozenset(int(str(row[0])) for row in rows)


def _quiet_moment(
    subject: Subject,
    connection: psycopg.Connection[tuple[object, ...]],
    name: str | None,
    now: Callable[[], float],
) -> tuple[str, Point | None, float]:
    with connect(subject.dsn(), "superuser", autocommit=True, purpose="point") as other:
        for number in range(_RETRIES):
            row = connection.execute("SELECT pg_export_snapshot(), pg_current_snapshot()::text").fetchone()
            assert row is not None
            point = None
            at_s = now()
            if name is not None:
                made = other.execute(
                    "SELECT lsn::text, pg_walfile_name(lsn) FROM pg_create_restore_point(%s) AS lsn",
                    (f"{name}-{number}",),
                ).fetchone()
                assert made is not None
                point = Point(f"{name}-{number}", str(made[0]), str(made[1]))
            after = other.execute("SELECT pg_current_snapshot()::text").fetchone()
            if after is not None and after[0] == row[1]:
                return str(row[0]), point, at_s
            connection.rollback()
            time.sleep(0.01)
    raise StackError("The subject was not quiet for an instant", hint="Is a long transaction under way?")
