"""
Owns the real processes of these tests: the service and its commands, as a person would start them.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, LiteralString

import httpx
import psycopg

from tests.app.postgres_server import Postgres, free_port

APP = Path(__file__).resolve().parents[2] / "env" / "app"
PASSWORD = "correct horse battery staple"
SECRET = "b7e1c0d94fa24f0c8d52a6f7e3b19c60"
SEED = 7
NAMES = (
    "ai_cap_atomic",
    "context_required",
    "errors_hide_internals",
    "graceful_shutdown",
    "inactive_tenant_refused",
    "least_privilege_role",
    "limits_answered",
    "limits_exempt_exactly",
    "limits_proxy_aware",
    "limits_retry_after",
    "limits_shared",
    "limits_store_bounded",
    "list_statements_bounded",
    "logs_redacted",
    "ready_checks_dependencies",
    "secret_required",
    "tenant_context_local",
    "tenant_from_token",
    "upload_type_sniffed",
    "validation_hides_input",
)
ALL_ON = {f"KB_{name.upper()}": "true" for name in NAMES}
# Where the tests are run under coverage, so are the processes that they start.
INHERITED = {name: os.environ[name] for name in ("PATH", "COVERAGE_PROCESS_START") if name in os.environ}


def run_knowledge(*argv: str, env: Mapping[str, str], limit_s: float = 30) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "knowledge", *argv],
        cwd=APP,
        env={**INHERITED, "PYTHONPATH": str(APP), **env},
        capture_output=True,
        text=True,
        timeout=limit_s,
        check=False,
    )


UPGRADE = """
import sys
import psycopg
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine
config = Config()
config.set_main_option("script_location", "migrations")
config.set_main_option("path_separator", "os")
config.set_main_option("version_locations", "migrations/versions:migrations/hardened")
with create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(sys.argv[1])).connect() as connection:
    config.attributes["connection"] = connection
    command.upgrade(config, "0002")
    connection.commit()
"""


def migrate_and_seed(dsn: str, *, seed: int = SEED, password: str = PASSWORD) -> None:
    env = {"KB_DATABASE_URL": dsn, "KB_SEED_PASSWORD": password}
    for argv in (("migrate",), ("seed", "--profile", "tiny", "--seed", str(seed))):
        done = run_knowledge(*argv, env=env)
        assert done.returncode == 0, done.stderr


def apply_hardening(dsn: str) -> None:
    """
    Bring a database to the hardened revision, as superuser: the very file that the service's history holds.
    """
    # In a process of its own, because the tests import the service and Alembic both by bare names.
    done = subprocess.run(
        [sys.executable, "-c", UPGRADE, dsn],
        cwd=APP,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(APP)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr


@dataclass(frozen=True)
class App:
    """One running instance: how to call it, its process, its database, what it logs."""

    http: httpx.Client
    process: subprocess.Popen[bytes]
    dsn: str
    log: Path

    def log_in(self, slug: str, login: str = "admin") -> dict[str, str]:
        answer = self.http.post(
            "/auth/login", json={"tenant": slug, "email": f"{login}@{slug}.example", "password": PASSWORD}
        )
        assert answer.status_code == 200, answer.text
        return {"Authorization": f"Bearer {answer.json()['access_token']}"}

    def execute(self, statement: LiteralString, *values: object) -> list[tuple[Any, ...]]:
        """As superuser, past the service."""
        dsn = self.dsn.replace("//kb_app@", "//postgres@").replace("//kb_owner@", "//postgres@")
        with psycopg.connect(dsn) as connection:
            cursor = connection.execute(statement, values)
            return cursor.fetchall() if cursor.description else []

    def lines(self, request_id: str) -> list[dict[str, Any]]:
        """What it logged about one request; the last line is written after the answer is sent."""
        deadline = time.monotonic() + 5
        while True:
            lines = [json.loads(line) for line in self.log.read_text(encoding="utf-8").splitlines()]
            found = [line for line in lines if line["request_id"] == request_id]
            if found and found[-1]["event"] == "request":
                return found
            assert time.monotonic() < deadline, lines[-3:]
            time.sleep(0.01)


@contextmanager
def serving(dsn: str, settings: Mapping[str, str]) -> Iterator[App]:
    port = free_port()
    env = {
        **INHERITED,
        "PYTHONPATH": str(APP),
        "KB_DATABASE_URL": dsn,
        "KB_JWT_SECRET": SECRET,
        "KB_POOL_SIZE": "2",
        "KB_DRAIN_S": "0",
        **settings,
    }
    argv = [sys.executable, "-m", "knowledge", "serve", "--port", str(port)]
    with tempfile.NamedTemporaryFile(prefix="knowledge-", suffix=".log") as log:
        process = subprocess.Popen(argv, cwd=APP, env=env, stdout=log, stderr=subprocess.STDOUT)
        try:
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=15, trust_env=False) as http:
                deadline = time.monotonic() + 20
                while True:
                    try:
                        http.get("/health/live").raise_for_status()
                        break
                    except httpx.TransportError:
                        assert process.poll() is None, Path(log.name).read_text()
                        assert time.monotonic() < deadline
                        time.sleep(0.03)
                yield App(http, process, dsn, Path(log.name))
        finally:
            # Not SIGTERM: as found that ends a process before its coverage is written.
            process.send_signal(signal.SIGINT)
            process.wait(timeout=15)


def start_found(postgres: Postgres, **settings: str) -> AbstractContextManager[App]:
    """As found: the owner's role, every switch off."""
    return serving(postgres.dsn(postgres.copy_database("found"), "kb_owner"), settings)


def start_hardened(postgres: Postgres, **settings: str) -> AbstractContextManager[App]:
    """Hardened: the role that only has grants, every switch on but those that `settings` turn off."""
    return serving(postgres.dsn(postgres.copy_database("hardened"), "kb_app"), {**ALL_ON, **settings})
