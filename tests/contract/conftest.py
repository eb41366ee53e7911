from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from playbook.stack.compose.stack import ComposeStack
from playbook.stack.local import LocalStack
from playbook.stack.protocol import Stack
from playbook.stack.source import ServiceSource

BACKENDS = ("local", pytest.param("compose", marks=pytest.mark.compose))
STAND_IN = Path(__file__).parent.parent / "stack" / "stand_in"


def stand_in() -> ServiceSource:
    return ServiceSource(
        folder=STAND_IN,
        serve=("{python}", "standin.py", "serve", "{host}", "{port}"),
        migrate=("{python}", "standin.py", "migrate"),
        seed=("{python}", "standin.py", "seed", "{profile}", "{seed}"),
        env_prefix="ST_",
        instances=2,
        switches={
            "secret_required": "refuses to start without a secret",
            "ready_checks_dependencies": "readiness asks the database",
            "least_privilege_role": "connects as the role app",
            "crash_when_on": "ends at once",
        },
    )


@pytest.fixture(scope="session", params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> Iterator[Stack]:
    """
    A stack of each backend that this machine has, brought up once.
    """
    kind: type[LocalStack] = LocalStack
    if request.param == "compose":
        request.getfixturevalue("engine")
        kind = ComposeStack
    stack = kind.create(f"contract-{request.param}-{os.getpid()}", service=stand_in(), seed=7)
    try:
        stack.up()
        yield stack
    finally:
        stack.down()
