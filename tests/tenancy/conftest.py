"""
What the tests of phases 20 and 30 run on: the reference service's real stack, with its smallest data.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from playbook.places import places
from playbook.postgres.catalog import schema_digest
from playbook.postgres.connect import connect
from playbook.proof.matrix import KillEntry
from playbook.proof.scene import Scene
from playbook.proof.trial import Trial
from playbook.run.phases import find_phase
from playbook.run.stacks import source_of
from playbook.service.applied import applied_beside
from playbook.service.smoke import smoke
from playbook.service.version import read_version
from playbook.stack.local import LocalStack
from playbook.stack.protocol import Database, State
from playbook.target.target import Target, read_target

PHASES = ("10", "20", "30")


@dataclass(frozen=True)
class Bench:
    """The stack with its states, found and hardened by all phases there are."""

    stack: LocalStack
    target: Target

    @contextmanager
    def scratch(self, state: State) -> Iterator[Scene]:
        with self.stack.scratch(state) as site:
            yield Scene.of(site, state=state, target=self.target, seed=1)

    @contextmanager
    def to_migrate(self, name: str) -> Iterator[Database]:
        """
        Copy the database as found, and drop afterwards what a migration leaves on the server: a role that is new.
        """
        found = self.stack.database("found")
        with found.copy(name) as copy:
            yield copy
        with connect(found, "superuser", autocommit=True) as conn:
            conn.execute("DROP ROLE IF EXISTS kb_readonly")

    def try_all(self, phase_id: str) -> list[KillEntry]:
        phase = find_phase(phase_id)
        trial = Trial(
            stack=self.stack,
            target=self.target,
            checks=phase.checks,
            seed=1,
            profile="standard",
            smoke=smoke,
            applied=applied_beside(read_version(self.stack.endpoints("hardened"))),
            digest=_digest,
        )
        return trial.run(phase.sabotages)


def _digest(scene: Scene) -> str:
    with connect(scene.database, "superuser") as conn:
        return schema_digest(conn)


@pytest.fixture(scope="session")
def target() -> Target:
    return read_target(places().data / "targets" / "reference.yaml")


@pytest.fixture(scope="session")
def bench(target: Target) -> Iterator[Bench]:
    stack = LocalStack.create(f"tenancy-{secrets.token_hex(4)}", service=source_of(target), seed=1, profile="tiny")
    try:
        stack.up()
        for phase in PHASES:
            find_phase(phase).harden(stack, target, without=frozenset(), say=lambda _: None)
        yield Bench(stack, target)
    finally:
        stack.down()
