"""
Owns opening the bench of mutated procedures: a small subject, and our own backups of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from playbook.proof.check import Check
from playbook.proof.scene import Scene
from playbook.recovery.backing_up import back_up
from playbook.recovery.bench import Bench
from playbook.recovery.journal import Journal
from playbook.recovery.logical import dump
from playbook.recovery.procedure import LogicalPlan, our_procedure
from playbook.recovery.subject import prepare_subject
from playbook.recovery.yard import Yard

__all__ = ["open_bench"]


@contextmanager
def open_bench(scene: Scene, yard: Yard, *, isolation: Sequence[Check] = ()) -> Iterator[Bench]:
    """
    Prepare a subject with our backups of it. Raises GuardError when the state is not sealed.

    `isolation` are checks that need no service.
    """
    procedure = our_procedure()
    with prepare_subject(scene.database, yard, scene.target, procedure, small=True) as subject:
        journal = Journal(yard)
        assert isinstance(procedure.logical, LogicalPlan)
        stale = dump(journal, subject.server, subject.database, procedure.logical, yard.folder / "stale", snapshot=None)
        with subject.traffic(journal.now) as traffic:
            backups = back_up(journal, subject, procedure, traffic, yard.folder / "repository", rest=True)
        yield Bench(scene, yard, subject, backups, stale, isolation, traffic.markers, tuple(journal.commands))
