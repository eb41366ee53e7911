"""
Owns the fixtures of the tests of rate limits: a store, and the reference service's real stack.

Its data are those of profile quick: each caller must be a user that was not counted yet.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from playbook.limits import CHECKS, SABOTAGES, limited_copies
from playbook.places import places
from playbook.proof.execute import run_checks
from playbook.proof.matrix import KillEntry
from playbook.proof.scene import Scene
from playbook.proof.trial import Trial
from playbook.run.phases import find_phase
from playbook.run.stacks import source_of
from playbook.service.applied import applied_beside
from playbook.service.smoke import smoke
from playbook.service.version import read_version
from playbook.stack.local import LocalStack
from playbook.target.target import read_target
from tests.limits.processes import Valkey


@pytest.fixture(scope="session")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Valkey]:
    server = Valkey(Path(tmp_path_factory.mktemp("valkey")))
    server.start()
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="session")
def matrix() -> Iterator[list[KillEntry]]:
    """
    Every sabotage, tried as profile standard tries them: by a clock that moves, each check under each.
    """
    target = read_target(places().data / "targets" / "reference.yaml")
    stack = LocalStack.create(f"limits-{secrets.token_hex(4)}", service=source_of(target), seed=1, profile="quick")
    try:
        stack.up()
        for phase in ("10", "20", "50"):
            find_phase(phase).harden(stack, target, without=frozenset(), say=lambda _: None)
        form = limited_copies(target, "standard")
        with form.make(stack, "hardened") as site:
            observed = run_checks(CHECKS, Scene.of(site, state="hardened", target=target, seed=1, profile="standard"))
        trial = Trial(
            stack=stack,
            target=target,
            checks=CHECKS,
            seed=1,
            profile="standard",
            smoke=smoke,
            applied=applied_beside(read_version(stack.endpoints("hardened"))),
            digest=lambda _: "",
            copies=form,
            observed=observed,
            jobs=2,
        )
        yield trial.run(SABOTAGES)
    finally:
        stack.down()
