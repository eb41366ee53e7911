"""
Owns the real processes of these tests: the service and its commands, as a person would start them.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.app.postgres_server import Postgres, free_port

APP = Path(__file__).resolve().parents[2] / "env" / "app"
PASSWORD = "correct horse battery staple"
SECRET = "b7e1c0d94fa24f0c8d52a6f7e3b19c60"
SEED = 7
ALL_ON = {
    "KB_SECRET_REQUIRED": "true",
    "KB_READY_CHECKS_DEPENDENCIES": "true",
    "KB_LEAST_PRIVILEGE_ROLE": "true",
    "KB_TENANT_CONTEXT_LOCAL": "true",
    "KB_TENANT_FROM_TOKEN": "true",
    "KB_LIMITS_SHARED": "true",
    "KB_LIMITS_STORE_BOUNDED": "true",
    "KB_LIMITS_ANSWERED": "true",
    "KB_LIMITS_RETRY_AFTER": "true",
    "KB_LIMITS_PROXY_AWARE": "true",
    "KB_LIMITS_EXEMPT_EXACTLY": "true",
}


def run_knowledge(*argv: str, env: Mapping[str, str], limit_s: float = 30) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "knowledge", *argv],
        cwd=APP,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(APP), **env},
        capture_output=True,
        text=True,
        timeout=limit_s,
        check=False,
    )


def migrate_and_seed(dsn: str, *, seed: int = SEED) -> None:
    env = {"KB_DATABASE_URL": dsn, "KB_SEED_PASSWORD": PASSWORD}
    for argv in (("migrate",), ("seed", "--profile", "tiny", "--seed", str(seed))):
        done = run_knowledge(*argv, env=env)
        assert done.returncode == 0, done.stderr


@dataclass(frozen=True)
class App:
    """One running instance: how to call it, and its process."""

    http: httpx.Client
    process: subprocess.Popen[str]
    dsn: str

    def log_in(self, slug: str, login: str = "admin") -> dict[str, str]:
        answer = self.http.post(
            "/auth/login", json={"tenant": slug, "email": f"{login}@{slug}.example", "password": PASSWORD}
        )
        assert answer.status_code == 200, answer.text
        return {"Authorization": f"Bearer {answer.json()['access_token']}"}


@contextmanager
def serving(dsn: str, settings: Mapping[str, str]) -> Iterator[App]:
    port = free_port()
    env = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(APP),
        "KB_DATABASE_URL": dsn,
        "KB_JWT_SECRET": SECRET,
        "KB_POOL_SIZE": "2",
        **settings,
    }
    argv = [sys.executable, "-m", "knowledge", "serve", "--port", str(port)]
    process = subprocess.Popen(argv, cwd=APP, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=15, trust_env=False) as http:
            deadline = time.monotonic() + 20
            while True:
                try:
                    http.get("/health/live").raise_for_status()
                    break
                except httpx.TransportError:
                    assert process.poll() is None, process.communicate()[0]
                    assert time.monotonic() < deadline
                    time.sleep(0.03)
            yield App(http, process, dsn)
    finally:
        process.terminate()
        process.communicate(timeout=15)


def start_found(postgres: Postgres, **settings: str) -> AbstractContextManager[App]:
    """As found: the owner's role, every switch off."""
    return serving(postgres.dsn(postgres.copy_database("found"), "kb_owner"), settings)


def start_hardened(postgres: Postgres, **settings: str) -> AbstractContextManager[App]:
    """Hardened: the role that only has grants, every switch on but those that `settings` turn off."""
    return serving(postgres.dsn(postgres.copy_database("hardened"), "kb_app"), {**ALL_ON, **settings})
