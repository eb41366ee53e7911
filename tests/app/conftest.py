"""
Owns the fixtures of the reference service's tests: a server, a database of each shape, a running instance of each.
"""

from __future__ import annotations

import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from psycopg import sql

from tests.app.postgres_server import Postgres, free_port
from tests.app.service_process import APP, App, apply_hardening, migrate_and_seed, start_found, start_hardened

# The unit tests import the service from where it lies; it is no installed package.
sys.path.insert(0, str(APP))


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    home = Path(tempfile.mkdtemp(prefix="knowledge-tests-"))
    server = Postgres(home, free_port())
    try:
        server.create()
        server.start()
        for role in ("kb_owner LOGIN", "kb_app LOGIN"):
            server.execute(sql.SQL("CREATE ROLE " + role))
        server.create_database("template_found")
        migrate_and_seed(server.dsn("template_found", "kb_owner"))
        server.create_database("template_hardened", template="template_found")
        apply_hardening(server.dsn("template_hardened", "postgres"))
        yield server
    finally:
        server.stop(signal.SIGQUIT)  # nothing of it is wanted any more, so nothing is written out
        shutil.rmtree(home)


@pytest.fixture(scope="session")
def found_app(postgres: Postgres) -> Iterator[App]:
    with start_found(postgres) as app:
        yield app


@pytest.fixture(scope="session")
def hardened_app(postgres: Postgres) -> Iterator[App]:
    with start_hardened(postgres) as app:
        yield app


@pytest.fixture(scope="session", params=["found", "hardened"])
def app(request: pytest.FixtureRequest) -> App:
    """The same expectations on both schemas."""
    found: App = request.getfixturevalue(f"{request.param}_app")
    return found


@pytest.fixture
def acme(app: App) -> dict[str, str]:
    return app.log_in("acme")


@pytest.fixture
def base_id(app: App, acme: dict[str, str]) -> int:
    answer = app.http.post("/knowledge-bases", json={"name": "Ünïcode 🦉"}, headers=acme)
    assert answer.status_code == 201
    found: int = answer.json()["id"]
    return found
