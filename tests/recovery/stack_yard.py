"""A yard on a local stack's own supervisor: spare servers that go with it, however the test ends."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from playbook.errors import StackError
from playbook.postgres.connect import connect
from playbook.postgres.role import Role
from playbook.postgres.server import configure_data, initdb_argv, postgres_argv, server_environment
from playbook.stack.apps import App, AppPlan
from playbook.stack.children import Order
from playbook.stack.control import POSTGRES_LADDER
from playbook.stack.endpoints import LocalEndpoints
from playbook.stack.guard import is_sealed, write_seal
from playbook.stack.local import LocalStack
from playbook.stack.ports import on_free_port
from playbook.stack.protocol import Completed, Database, Endpoints, State
from playbook.stack.scratch import _Port


class StackSpare:
    def __init__(self, yard: StackYard, name: str) -> None:
        self._yard, self._ground = yard, yard._ground
        self._name = f"spare/{name}-{secrets.token_hex(3)}"
        self._data = yard.folder / "servers" / name / "data"
        self._data.parent.mkdir(parents=True)
        self._port = 0
        self._seals: dict[str, str] = {}

    @property
    def data(self) -> Path:
        return self._data

    @property
    def running(self) -> bool:
        return self._ground.control.running(self._name)

    def initialise(self) -> None:
        shutil.copytree(self._yard.template(), self._data, symlinks=True)

    def start(self, settings: Mapping[str, str] | None = None) -> None:
        self._data.chmod(0o700)
        self._yard.hand_over(self._data)
        words = tuple(word for name, value in (settings or {}).items() for word in ("-c", f"{name}={value}"))

        def on_port(port: int) -> None:
            self._port = port
            argv = (*postgres_argv(self._ground.parts(), self._data, port), *words)
            self._ground.control.spawn(self._yard.order(self._name, argv))
            self._wait()

        on_free_port(on_port, what="A spare server")

    def _wait(self) -> None:
        end = time.monotonic() + 60
        while True:
            try:
                connect(self.dsn("postgres"), "superuser", connect_timeout_s=2).close()
            except psycopg.OperationalError as error:
                if not self.running:
                    raise StackError(f"The spare server ended:\n{self.log()}", hint="") from error
                if time.monotonic() > end:
                    raise StackError(f"The spare server does not answer: {error}", hint="") from error
                time.sleep(0.02)
            else:
                return

    def stop(self) -> None:
        self._ground.control.stop(self._name)

    def kill(self) -> None:
        self._ground.control.signal(self._name, signal.SIGKILL, tree=True)
        self._ground.control.wait(self._name, 10)

    def dsn(self, database: str, role: Role = "superuser") -> str:
        parts = conninfo_to_dict(self._yard.source.dsn(role))
        return make_conninfo("", **{**parts, "port": self._port, "dbname": database})

    def seal(self, database: str) -> None:
        self._seals[database] = secrets.token_hex(16)
        write_seal(self.dsn(database), self._seals[database])

    def sealed(self, database: str) -> bool:
        return database in self._seals and is_sealed(self.dsn(database), {self._seals[database]})

    def log(self) -> str:
        return self._ground.tail(self._name)


class StackYard:
    def __init__(self, stack: LocalStack, state: State) -> None:
        self._stack, self._state, self._ground = stack, state, stack._ground
        self.source: Database = stack.database(state)
        self.folder = self._ground.folder / "postgres" / f"yard-{secrets.token_hex(4)}"
        self.folder.mkdir()
        self.folder.chmod(0o755)
        self._template: Path | None = None

    def close(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)

    def order(self, name: str, argv: Sequence[str]) -> Order:
        record = self._ground.record()
        return Order(
            name=name, argv=tuple(argv), env=server_environment(), cwd=str(self.folder),
            log=str(self._ground.log(name)), uid=record.server_uid, gid=record.server_gid, stop=POSTGRES_LADDER,
        )  # fmt: skip

    def template(self) -> Path:
        if self._template is None:
            record = self._ground.record()
            data, password = self.folder / "template", self.folder / "password"
            data.mkdir(mode=0o700)
            password.write_text(record.secrets["superuser_password"])
            password.chmod(0o600)
            self.hand_over(data)
            self.hand_over(password)
            argv = initdb_argv(self._ground.parts(), data, superuser=record.accounts.superuser, password_file=password)
            assert self._ground.control.run(self.order(f"initdb-{secrets.token_hex(3)}", argv), 60) == 0
            password.unlink()
            configure_data(data, "disposable")
            self._template = data
        return self._template

    @contextmanager
    def spare(self, name: str) -> Iterator[StackSpare]:
        server = StackSpare(self, name)
        try:
            yield server
        finally:
            if server._name in self._ground.control.processes():
                server.stop()
            shutil.rmtree(server.data.parent, ignore_errors=True)

    def hand_over(self, path: Path) -> None:
        record = self._ground.record()
        if record.server_uid is None or record.server_gid is None:
            return
        for one in (path, *path.rglob("*")):
            os.chown(one, record.server_uid, record.server_gid, follow_symlinks=False)

    def run(
        self, argv: Sequence[str], *, env: Mapping[str, str], stdout: Path | None = None, limit_s: float = 600.0
    ) -> Completed:
        name = f"yard/{secrets.token_hex(4)}"
        out, errors = stdout or self._ground.log(name), self._ground.log(f"{name}-errors")
        programs = self._ground.parts().bin_dir
        first = programs / argv[0]
        order = Order(
            name=name, argv=(str(first) if first.is_file() else argv[0], *argv[1:]),
            env={"PATH": f"{programs}:/usr/bin:/bin", "LC_ALL": "C", "PGCONNECT_TIMEOUT": "10", **env},
            cwd=str(self.folder), log=str(out), errors=str(errors),
        )  # fmt: skip
        began = time.monotonic()
        code = self._ground.control.run(order, limit_s)
        duration_s = time.monotonic() - began
        said = "" if stdout else out.read_text(errors="replace")
        return Completed(tuple(argv), code, said, errors.read_text(errors="replace"), duration_s)

    @contextmanager
    def serve(self, database: Database) -> Iterator[Endpoints]:
        record = self._ground.record()
        plan = AppPlan(
            f"{self._state}/restored-{secrets.token_hex(3)}", record.service.folder, database,  # type: ignore[arg-type]
            record.states[self._state].switches,
        )  # fmt: skip
        port = _Port()
        app = App(self._ground, lambda: plan, port=lambda: port.number, keep_port=port.keep)
        try:
            app.start()
            yield LocalEndpoints(self._ground, self._state, app)
        finally:
            app.stop()
