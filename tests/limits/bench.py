"""
Owns the reference service on a bench: two instances, their database, store and proxy, as a Scene shows them.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from playbook.places import places
from playbook.proof.scene import Scene
from playbook.stack.protocol import Edit
from playbook.stack.scratch import apply_edits
from playbook.target.target import Limits, Target, read_target
from tests.app.postgres_server import Postgres
from tests.app.service_process import ALL_ON, APP, PASSWORD, SECRET
from tests.limits.processes import Addresses, Valkey, all_of, free_port, proxied, serving

DECLARATION = places().data / "limits" / "reference.yaml"
SCALE = 1 / 1800


@dataclass(frozen=True)
class BenchDatabase:
    """The bench's database, by role."""

    server: Postgres
    name: str
    sealed: bool = False

    def dsn(self, role: str) -> str:
        return self.server.dsn(self.name, "postgres")

    def copy(self, name: str) -> AbstractContextManager[BenchDatabase]:
        raise NotImplementedError


@dataclass(frozen=True)
class BenchLauncher:
    """Starts one more instance of the bench."""

    code: Path
    env: Mapping[str, str]

    def serving(self, settings: Mapping[str, str | None]) -> AbstractContextManager[str]:
        wanted = {name: value for name, value in {**self.env, **settings}.items() if value is not None}
        return instance(self.code, wanted)


@contextmanager
def instance(code: Path, env: Mapping[str, str]) -> Iterator[str]:
    port = free_port()
    argv = [sys.executable, "-m", "knowledge", "serve", "--port", str(port)]
    with serving(argv, {**env, "PYTHONPATH": str(code)}, port=port) as url:
        yield url


def target(*, scale: float = SCALE, declaration: Path = DECLARATION) -> Target:
    read = read_target(places().data / "targets" / "reference.yaml")
    return read.model_copy(update={"limits": Limits(file=declaration, scale=scale)})


@contextmanager
def bench(
    postgres: Postgres,
    valkey: Valkey,
    folder: Path,
    *,
    without: Sequence[str] = (),
    edits: Sequence[Edit] = (),
    declaration: Path = DECLARATION,
    scale: float = SCALE,
    state: str = "hardened",
) -> Iterator[Scene]:
    """Two instances of the service behind a proxy, its limits enforced, `without` some switches, `edits` made."""
    code = APP
    with ExitStack() as stack:
        if edits:
            code = folder / "code"
            stack.callback(shutil.rmtree, code)
            shutil.copytree(APP, code, ignore=shutil.ignore_patterns("__pycache__"))
            apply_edits(code, edits)
        database = BenchDatabase(postgres, postgres.copy_database("hardened"))
        env = {
            "KB_DATABASE_URL": postgres.dsn(database.name, "kb_app"),
            "KB_JWT_SECRET": SECRET,
            "KB_LIMITS_FILE": str(declaration),
            "KB_LIMITS_SCALE": str(scale),
            "KB_REDIS_URL": valkey.url,
            **ALL_ON,
            **dict.fromkeys(without, "false"),
        }
        urls = stack.enter_context(all_of([instance(code, env) for _ in range(2)]))
        proxy = stack.enter_context(proxied(urls, folder))
        yield Scene(
            state=state,
            target=target(scale=scale, declaration=declaration),
            seed=1,
            site_database=database,
            site_endpoints=Addresses(urls, proxy),
            site_faults=valkey,
            site_launcher=BenchLauncher(code, env),  # type: ignore[arg-type]
            site_store=valkey,
            capabilities=frozenset({"two_instances", "redis", "proxy", "faults"}),
            secrets={"seed_password": PASSWORD},
        )
