from __future__ import annotations

import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from playbook.postgres.connect import connect
from playbook.postgres.parts import Parts, copy_parts, find_parts
from playbook.postgres.server import configure_data, initdb_argv, postgres_argv, server_environment


@pytest.fixture(scope="session")
def parts_and_folder() -> Iterator[tuple[Parts, Path]]:
    """The wheel's programs, where the account that runs the server may use them."""
    folder = Path(tempfile.mkdtemp(prefix="playbook-postgres-"))
    folder.chmod(0o755)
    found = find_parts("wheel")
    yield (copy_parts(found, folder / "parts") if os.getuid() == 0 else found), folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def server(parts_and_folder: tuple[Parts, Path]) -> Iterator[str]:
    """The DSN of a bare server, without a stack around it; its superuser is `boss`."""
    parts, folder = parts_and_folder
    home, password = folder / "home", folder / "home" / "password"
    home.mkdir(mode=0o700)
    password.write_text(secrets.token_hex(16))
    account = pwd.getpwnam("nobody") if os.getuid() == 0 else pwd.getpwuid(os.getuid())
    for path in (home, password):
        os.chown(path, account.pw_uid, account.pw_gid)
    plain = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []} if os.getuid() == 0 else {}
    argv = initdb_argv(parts, home / "data", superuser="boss", password_file=password)
    subprocess.run(argv, env=server_environment(), cwd=home, check=True, stdout=subprocess.DEVNULL, **plain)  # type: ignore[call-overload]
    configure_data(home / "data", "disposable")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    dsn = f"postgresql://boss:{password.read_text()}@127.0.0.1:{port}/postgres"
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            postgres_argv(parts, home / "data", port), env=server_environment(), cwd=home, stderr=log, **plain
        )
    try:
        _wait(dsn, process)
        yield dsn
    finally:
        process.send_signal(signal.SIGQUIT)
        process.wait(10)


@pytest.fixture
def database(server: str) -> Iterator[str]:
    """The DSN of an empty database."""
    name = f"db_{secrets.token_hex(4)}"
    with connect(server, "superuser", autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    yield f"{server.rpartition('/')[0]}/{name}"
    with connect(server, "superuser", autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def _wait(dsn: str, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + 20
    while True:
        try:
            connect(dsn, "superuser").close()
        except psycopg.OperationalError:
            if process.poll() is not None or time.monotonic() > end:
                raise
            time.sleep(0.02)
        else:
            return
