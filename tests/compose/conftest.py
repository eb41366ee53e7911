"""
Stacks of the stand-in service that do not outlive their test.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from playbook.stack.compose.engine import Engine
from playbook.stack.compose.stack import ComposeStack
from playbook.stack.mend import destroy
from playbook.stack.registry import folder_of
from playbook.stack.source import ServiceSource

STAND_IN = Path(__file__).parent.parent / "stack" / "stand_in"
Begin = Callable[[], ComposeStack]


@pytest.fixture(scope="session")
def service() -> ServiceSource:
    return ServiceSource(
        folder=STAND_IN,
        serve=("{python}", "standin.py", "serve", "{host}", "{port}"),
        migrate=("{python}", "standin.py", "migrate"),
        seed=("{python}", "standin.py", "seed", "{profile}", "{seed}"),
        env_prefix="ST_",
        switches={"ready_checks_dependencies": "readiness asks the database", "crash_when_on": "ends at once"},
        instances=1,
    )


@pytest.fixture
def begin(engine: Engine, service: ServiceSource) -> Iterator[Begin]:
    """Begin stacks; whatever is left of them goes."""
    names = []

    def one() -> ComposeStack:
        names.append(f"test-{secrets.token_hex(4)}")
        return ComposeStack.create(names[-1], service=service, seed=7)

    yield one
    for name in names:
        destroy(folder_of(name))


@pytest.fixture(scope="session")
def running(engine: Engine, service: ServiceSource) -> Iterator[ComposeStack]:
    """One stack for all tests that only look at it, or mend what they break."""
    stack = ComposeStack.create(f"test-{secrets.token_hex(4)}", service=service, seed=7)
    try:
        stack.up()
        yield stack
    finally:
        stack.down()
