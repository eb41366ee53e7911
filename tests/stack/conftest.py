from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from playbook.stack.local import LocalStack
from playbook.stack.source import ServiceSource

STAND_IN = Path(__file__).parent / "stand_in"


def stand_in_service(folder: Path = STAND_IN) -> ServiceSource:
    return ServiceSource(
        folder=folder,
        serve=("{python}", "standin.py", "serve", "{port}"),
        migrate=("{python}", "standin.py", "migrate"),
        seed=("{python}", "standin.py", "seed", "{profile}", "{seed}"),
        env_prefix="ST_",
        switches={
            "secret_required": "refuses to start without a secret",
            "ready_checks_dependencies": "readiness asks the database",
            "least_privilege_role": "connects as the role app",
            "crash_when_on": "ends at once",
        },
    )


@pytest.fixture(scope="session")
def stand_in() -> ServiceSource:
    return stand_in_service()


@pytest.fixture(scope="session")
def local_stack(tmp_path_factory: pytest.TempPathFactory, stand_in: ServiceSource) -> Iterator[LocalStack]:
    """
    A stack of the stand-in service, up, for the whole session.

    Its root is the system's temp root: the folders that pytest makes are closed to the account of PostgreSQL.
    """
    stack = LocalStack.create(f"pytest-{secrets.token_hex(4)}", service=stand_in, seed=7)
    try:
        stack.up()
        yield stack
    finally:
        stack.down()
