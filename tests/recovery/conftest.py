"""
A stack of the reference service, hardened, for all tests of recovery; and yards on it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from playbook.places import places
from playbook.proof.scene import Scene
from playbook.run.phases import find_phase
from playbook.run.stacks import create_stack
from playbook.stack.local import LocalStack
from playbook.stack.protocol import State
from playbook.target.target import Target, read_target

PROFILE = os.environ.get("PLAYBOOK_TEST_PROFILE", "quick")


@pytest.fixture(scope="session")
def target() -> Target:
    return read_target(places().data / "targets" / "reference.yaml")


@pytest.fixture(scope="session")
def hardened(target: Target) -> Iterator[LocalStack]:
    stack = create_stack(
        target, backend="local", name=f"recovery-{os.getpid()}", profile=PROFILE, seed=7, run_folder=None, owned=True
    )
    try:
        stack.up()
        for number in ("10", "20", "30"):
            find_phase(number).harden(stack, target, without=frozenset(), say=print)
        yield stack
    finally:
        stack.down()


def scene_of(stack: LocalStack, state: State, target: Target) -> Scene:
    return Scene.of(stack.site(state), state=state, target=target, seed=7)
