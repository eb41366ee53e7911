"""
Owns the PostgreSQL servers of a local stack: made once, started on a free port, stopped, copied.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import psycopg
from psycopg import sql

from playbook.errors import StackError
from playbook.postgres.connect import connect
from playbook.postgres.role import Role
from playbook.postgres.server import (
    ARCHIVE,
    STATEMENT_COUNTER,
    configure_data,
    initdb_argv,
    postgres_argv,
    server_environment,
)
from playbook.stack.children import Order
from playbook.stack.control import POSTGRES_LADDER
from playbook.stack.database import LocalDatabase
from playbook.stack.ground import Ground
from playbook.stack.ports import ended, on_free_port

__all__ = ["Servers", "process_name"]

_START_LIMIT_S = 30.0
_LOGINS: tuple[Role, ...] = ("owner", "app", "migrator", "backup")


def process_name(state: str) -> str:
    """
    Name a state's server among the stack's processes.
    """
    return f"{state}/postgres"


class Servers:
    """
    The servers of one stack, one per state.
    """

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    def initialise(self, state: str) -> None:
        """
        Make an empty data directory. Raises StackError with initdb's last words.
        """
        record = self._ground.record()
        data = self._ground.data(state)
        password = data.with_name("password")
        with os.fdopen(os.open(password, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(record.secrets["superuser_password"])
        data.mkdir(mode=0o700)
        if record.server_uid is not None and record.server_gid is not None:
            for path in (password, data):
                os.chown(path, record.server_uid, record.server_gid)
        argv = initdb_argv(self._ground.parts(), data, superuser=record.accounts.superuser, password_file=password)
        try:
            code = self._ground.control.run(self._order("initdb", argv), 120)
        finally:
            password.unlink()
        if code != 0:
            raise StackError(
                f"initdb ended with {code}:\n{self._ground.tail('initdb')}", hint="Is the disk full, or TMPDIR closed?"
            )
        parts = self._ground.parts()
        preload = (STATEMENT_COUNTER,) if parts.has_library(STATEMENT_COUNTER) else ()
        configure_data(data, record.durability, preload=preload)
        self.archive(state)

    def start(self, state: str, *, settings: Mapping[str, str] | None = None, limit_s: float = _START_LIMIT_S) -> None:
        """
        Start a state's server, on the port that it had if that is free, and wait until it answers.

        `settings` count more than those in its data directory.
        """
        known = self._ground.record().states.get(state)

        def on_port(port: int) -> None:
            self._ground.file.keep_port(state, "postgres", port)
            argv = postgres_argv(self._ground.parts(), self._ground.data(state), port, settings or {})
            self._ground.control.spawn(self._order(process_name(state), argv))
            self.wait_until_answering(state, limit_s=limit_s)

        on_free_port(on_port, what=f"PostgreSQL of {state}", first=known.port or None if known else None)

    def wait_until_answering(self, state: str, *, limit_s: float = _START_LIMIT_S) -> None:
        """
        Wait until the server lets our superuser in, whose password nobody else's server knows.

        Raises StackError at the limit or when it ended, PortTaken when it ended because of its port.
        """
        dsn = self._ground.dsn(state, "postgres", "superuser")
        end = time.monotonic() + limit_s
        while True:
            try:
                with connect(dsn, "superuser", purpose="start", connect_timeout_s=2) as connection:
                    connection.execute("SELECT 1")
            except psycopg.OperationalError as error:
                seen = str(error)
            else:
                return
            name = process_name(state)
            if not self._ground.control.running(name):
                raise ended(
                    f"PostgreSQL of {state}", self._ground.tail(name), port=self._ground.record().states[state].port
                )
            if time.monotonic() > end:
                raise StackError(
                    f"PostgreSQL of {state} did not answer in {limit_s:.0f} s ({seen}):\n{self._ground.tail(name)}",
                    hint="Is the machine very busy?",
                )
            time.sleep(0.02)

    def stop(self, state: str) -> None:
        """
        Stop a state's server: fast, then immediately, then by force.
        """
        self._ground.control.stop(process_name(state))

    def log(self, state: str) -> str:
        """
        Read all that a state's server logged, over all of its starts. Read-only.
        """
        log = self._ground.log(process_name(state))
        return log.read_text(encoding="utf-8", errors="replace") if log.is_file() else ""

    def database(self, state: str, name: str) -> LocalDatabase:
        """
        See one database of a state's server as checks do.
        """
        return LocalDatabase(self._ground, state, name)

    def forget(self, state: str) -> None:
        """
        Drop what a stopped server leaves besides its data: of a process, nothing.
        """

    def archive(self, state: str) -> Path:
        """
        Make the folder in which a state's write-ahead log is kept while the file `on` stands in it.
        """
        record = self._ground.record()
        folder = self._ground.folder / "postgres" / ARCHIVE / state
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if record.server_uid is not None and record.server_gid is not None:
            for each in (folder.parent, folder):
                os.chown(each, record.server_uid, record.server_gid)
        return folder

    def repository(self) -> Path:
        """
        Make the folder for backups, which the servers' account owns.
        """
        record = self._ground.record()
        folder = self._ground.folder / "postgres" / "repository"
        folder.mkdir(mode=0o700, exist_ok=True)
        if record.server_uid is not None and record.server_gid is not None:
            os.chown(folder, record.server_uid, record.server_gid)
        return folder

    def configure(self, state: str, settings: Mapping[str, str | None]) -> bool:
        """
        Set settings in the server's own file (None: take them out again); True when they need a restart.
        """
        dsn = self._ground.dsn(state, "postgres", "superuser")
        with connect(dsn, "superuser", autocommit=True, purpose="settings") as connection:
            for name, value in settings.items():
                word = sql.Identifier(name)
                connection.execute(
                    sql.SQL("ALTER SYSTEM RESET {}").format(word)
                    if value is None
                    else sql.SQL("ALTER SYSTEM SET {} = {}").format(word, sql.Literal(value))
                )
            connection.execute("SELECT pg_reload_conf()")
            fixed = connection.execute(
                "SELECT name FROM pg_settings WHERE name = ANY (%s) AND context = 'postmaster'", (list(settings),)
            ).fetchall()
        return bool(fixed)

    def copy(self, source: str, target: str) -> None:
        """
        Copy the data directory of a stopped server, sharing blocks where the file system can.
        """
        reflink = ("--reflink=auto",) if sys.platform == "linux" else ()
        words = ["cp", "-R", "-p", *reflink, str(self._ground.data(source)), str(self._ground.data(target))]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            shutil.rmtree(self._ground.data(target), ignore_errors=True)
            raise StackError(f"The data directory cannot be copied: {done.stderr.strip()}", hint="Free the disk.")

    def create_accounts(self, state: str) -> None:
        """
        Create the target's roles, with passwords and without privileges, and its database, owned by the owner.
        """
        record = self._ground.record()
        owner = sql.Identifier(record.accounts.owner)
        database = sql.Identifier(record.accounts.database)
        dsn = self._ground.dsn(state, "postgres", "superuser")
        with connect(dsn, "superuser", autocommit=True, purpose="accounts") as connection:
            for role in _LOGINS:
                account = sql.Identifier(getattr(record.accounts, role))
                password = sql.Literal(record.secrets[f"{role}_password"])
                connection.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(account, password))
            connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(database, owner))

    def _order(self, name: str, argv: tuple[str, ...]) -> Order:
        record = self._ground.record()
        return Order(
            name=name,
            argv=argv,
            env=server_environment(),
            cwd=str(self._ground.folder / "postgres"),
            log=str(self._ground.log(name)),
            uid=record.server_uid,
            gid=record.server_gid,
            stop=POSTGRES_LADDER,
        )


def data_directories(folder: Path) -> tuple[Path, ...]:
    """
    List the data directories in a stack's folder. Read-only.
    """
    return tuple(sorted(path.parent for path in (folder / "postgres").glob("*/PG_VERSION")))
