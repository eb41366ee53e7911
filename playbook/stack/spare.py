"""
Owns spare PostgreSQL servers: beside the states' own, of the same parts, for what was saved to be restored into.

A spare server is a further state in the stack's record, so that it is listed, found and taken down like the others.
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from playbook.errors import InputError
from playbook.postgres.server import ARCHIVE
from playbook.stack.database import LocalDatabase, seal
from playbook.stack.ground import Ground
from playbook.stack.servers import Servers, process_name
from playbook.stack.shared_memory import remove_segment

__all__ = ["SpareServer", "spare_server"]

_KILL_LIMIT_S = 10.0


class SpareServer:
    """
    One spare server. Its settings come after those in its data directory, so that they count.
    """

    def __init__(self, ground: Ground, name: str, servers: Servers) -> None:
        self._ground = ground
        self._servers = servers
        self._settings: dict[str, str] = {}
        self._name = name

    @property
    def name(self) -> str:
        return self._name

    @property
    def port(self) -> int:
        return self._ground.server_port(self._name)

    @property
    def data_directory(self) -> Path:
        return self._ground.data(self._name)

    @property
    def running(self) -> bool:
        return self._ground.control.running(process_name(self._name))

    def configure(self, settings: Mapping[str, str]) -> None:
        """
        Add settings to those that each later start is given (`restore_command`, `recovery_target_name`, …).
        """
        self._settings.update(settings)

    def initialise(self) -> None:
        """
        Make an empty data directory. Raises InputError when there is one already.
        """
        if self.data_directory.exists():
            raise InputError(f"{self._name} has a data directory", hint="Take another spare server.")
        self._servers.initialise(self._name)

    def start(self, limit_s: float = 60.0) -> None:
        """
        Serve the data directory, whoever filled it, and wait until the superuser gets in.

        A server that recovers lets him in before it is done, and may still end then: ask pg_is_in_recovery(). Raises
        StackError with the last lines of its log when it ended or did not answer, InputError without data.
        """
        if not (self.data_directory / "PG_VERSION").is_file():
            raise InputError(f"{self._name} has no data directory yet", hint="Fill it, or initialise it.")
        self._hand_over()
        self._servers.start(self._name, settings=self._settings, limit_s=limit_s)

    def stop(self) -> None:
        """
        Stop it if it runs: fast, then immediately, then by force.
        """
        if self.running:
            self._servers.stop(self._name)

    def kill(self) -> None:
        """
        Kill it and all of its processes at once.
        """
        process = process_name(self._name)
        self._ground.control.signal(process, signal.SIGKILL, tree=True)
        self._ground.control.wait(process, _KILL_LIMIT_S)

    def log(self) -> str:
        """
        Read all that it logged, over all of its starts. Read-only.
        """
        return self._servers.log(self._name)

    def dsn(self, database: str = "postgres") -> str:
        """
        Spell a connection string of the superuser.
        """
        return self._ground.dsn(self._name, database, "superuser")

    def seal(self, database: str) -> None:
        """
        Mark a database on it as ours, in place of any token that was restored into it.
        """
        seal(self._ground, self._name, database)

    def database(self, database: str) -> LocalDatabase:
        """
        See one of its databases as checks do, by role.
        """
        return self._servers.database(self._name, database)

    def _hand_over(self) -> None:
        record = self._ground.record()
        self.data_directory.chmod(0o700)
        if record.server_uid is None or record.server_gid is None:
            return
        for root, folders, files in os.walk(self.data_directory):
            for path in (root, *(os.path.join(root, name) for name in (*folders, *files))):  # noqa: PTH118 (many)
                os.chown(path, record.server_uid, record.server_gid, follow_symlinks=False)


@contextmanager
def spare_server(ground: Ground, servers: Servers, *, like: str, empty: bool) -> Iterator[SpareServer]:
    """
    Lend a spare server whose app has the switches of the state `like`; destroy it at the end.
    """
    name = f"spare-{secrets.token_hex(4)}"
    switches = ground.record().states[like].switches
    ground.file.keep_port(name, "postgres", 0)
    ground.file.update_state(name, lambda old: old.model_copy(update={"switches": dict(switches)}))
    server = SpareServer(ground, name, servers)
    try:
        if empty:
            server.initialise()
            server.start()
        yield server
    finally:
        server.stop()
        servers.forget(name)
        remove_segment(server.data_directory)
        for folder in (server.data_directory, ground.folder / "postgres" / ARCHIVE / name):
            shutil.rmtree(folder, ignore_errors=True)
        ground.file.forget_state(name)
