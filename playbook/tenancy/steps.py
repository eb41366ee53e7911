"""
Owns what a step of a migration is: its SQL, the lock it takes, how it is undone and how one knows it is done.

It knows no schema and runs nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from psycopg.sql import Composed

from playbook.errors import InputError

__all__ = ["Effect", "Form", "Lock", "LockMode", "Plan", "Step"]

LockMode = Literal[
    "ROW EXCLUSIVE", "SHARE UPDATE EXCLUSIVE", "SHARE", "SHARE ROW EXCLUSIVE", "ACCESS EXCLUSIVE", "catalogue only"
]
Effect = Literal["rewrite", "scan", "brief"]
Form = Literal["transaction", "alone", "batches"]


@dataclass(frozen=True, slots=True)
class Lock:
    """
    The strongest table lock of a step (PostgreSQL manual, section 13.3.1) and the relation that it is taken on.
    """

    mode: LockMode
    relation: str | None = None

    def __str__(self) -> str:
        return f"{self.mode} on {self.relation}" if self.relation else self.mode


@dataclass(frozen=True, slots=True)
class Step:
    """
    One step.

    `effect` says what it costs while it holds its lock: it rewrites the table, scans it, or is brief. `form` says
    how its statements run: all in one short transaction, each alone outside of one (CONCURRENTLY), or one
    statement again and again, each time committed, until it changes no row. `done` is one query that answers true
    from the catalogue once the step stands, so that a plan resumes from what is there and not from a record.
    `undo` is empty where nothing needs to be, or can be, undone.
    """

    id: str
    title: str
    sql: tuple[Composed, ...]
    lock: Lock
    effect: Effect
    undo: tuple[Composed, ...]
    done: Composed
    form: Form = "transaction"


@dataclass(frozen=True, slots=True)
class Plan:
    """
    Ordered steps that bring a schema to an Alembic revision.
    """

    title: str
    revision: str
    down_revision: str
    steps: tuple[Step, ...]

    def step(self, step_id: str) -> Step:
        """
        Find a step by id. Raises InputError.
        """
        for one in self.steps:
            if one.id == step_id:
                return one
        raise InputError(f"step {step_id!r} is unknown", hint="The plan's table lists the ids.")
