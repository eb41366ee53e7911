"""
Owns the PostgreSQL servers of a stack of containers.

Their data lies in the stack's folder, at the same path outside and inside, so that what reads, copies or restores it
needs to know nothing of containers.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from playbook.errors import StackError
from playbook.postgres.server import STATEMENT_COUNTER, configure_data, initdb_argv
from playbook.stack.compose.containers import Plan, make_container, start_container
from playbook.stack.compose.database import ComposeDatabase
from playbook.stack.compose.ground import PORTS, ComposeGround
from playbook.stack.servers import Servers, process_name
from playbook.stack.states import STATES

__all__ = ["ComposeServers"]

_START_LIMIT_S = 30.0
_INITDB_LIMIT_S = 120.0
_HBA = """\
host all         all all scram-sha-256
host replication all all scram-sha-256
"""
_SETTINGS = {"listen_addresses": "*", "max_connections": "60"}


class ComposeServers(Servers):
    """
    The servers of one stack, one per state, and its spare ones.
    """

    def __init__(self, ground: ComposeGround) -> None:
        super().__init__(ground)
        self._place = ground

    def initialise(self, state: str) -> None:
        """
        Make an empty data directory. Raises StackError with initdb's last words.
        """
        record = self._place.record()
        data = self._place.data(state)
        password = data.with_name(f"{state}.password")
        with os.fdopen(os.open(password, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(record.secrets["superuser_password"])
        data.mkdir(mode=0o700)
        if record.server_uid is not None and record.server_gid is not None:
            for path in (password, data):
                os.chown(path, record.server_uid, record.server_gid)
        argv = initdb_argv(self._place.parts(), data, superuser=record.accounts.superuser, password_file=password)
        try:
            self._run(f"initdb/{state}", argv)
        finally:
            password.unlink()
        configure_data(data, record.durability, preload=(STATEMENT_COUNTER,))
        with (data / "postgresql.conf").open("a", encoding="utf-8") as file:
            file.writelines(f"{name} = '{value}'\n" for name, value in _SETTINGS.items())
        (data / "pg_hba.conf").write_text(_HBA, encoding="utf-8")
        self.archive(state)

    def start(self, state: str, *, settings: Mapping[str, str] | None = None, limit_s: float = _START_LIMIT_S) -> None:
        """
        Start a state's server and wait until it answers; `settings` count more than those in its data directory.
        """
        process = process_name(state)
        if state not in STATES:
            self.forget(state)  # its command line holds the settings
        start_container(self._place, process, None if state in STATES else partial(self._plan, state, settings or {}))
        self._place.file.keep_port(state, "postgres", self._place.port(state, "postgres").number())
        self.wait_until_answering(state, limit_s=limit_s)

    def log(self, state: str) -> str:
        """
        Read all that a state's server logged, over all of its starts. Read-only.
        """
        found = self._place.containers.find(process_name(state))
        return super().log(state) + ("" if found is None else self._place.engine.logs(found.id))

    def database(self, state: str, name: str) -> ComposeDatabase:
        """
        See one database of a state's server as checks do.
        """
        return ComposeDatabase(self._place, state, name)

    def forget(self, state: str) -> None:
        """
        Remove a spare server's container; what it logged stays.
        """
        process = process_name(state)
        found = self._place.containers.find(process)
        if found is not None:
            self._place.keep_log(process)
            self._place.engine.remove("container", found.id)

    def _run(self, process: str, argv: tuple[str, ...]) -> None:
        plan = Plan(process, "postgres", argv, mounts=self._mounts())
        container = make_container(self._place, plan)
        try:
            self._place.engine.start(container)
            ended = self._place.containers.wait(process, _INITDB_LIMIT_S)
            if ended.exit_code != 0:
                tail = self._place.tail(process)
                raise StackError(f"{argv[0]} ended with {ended.exit_code}:\n{tail}", hint="Is the disk full?")
        finally:
            self._place.engine.remove("container", container)

    def _plan(self, state: str, settings: Mapping[str, str]) -> Plan:
        words = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        return Plan(
            process_name(state),
            "postgres",
            ["postgres", "-D", str(self._place.data(state)), *words],
            networks=STATES,
            aliases=(state,),
            ports=(PORTS["postgres"],),
            mounts=self._mounts(),
        )

    def _mounts(self) -> tuple[tuple[Path, str, bool], ...]:
        folder = self._place.folder / "postgres"
        return ((folder, str(folder), True),)
