"""
Owns applying a plan to a sealed database: resumable from the catalogue, and patient rather than in the way.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import errors, sql

from playbook.errors import StackError
from playbook.postgres.connect import connect
from playbook.stack.guard import require_sealed
from playbook.stack.protocol import Database
from playbook.tenancy.baseline import take_baseline
from playbook.tenancy.steps import Plan, Step

__all__ = ["LOCK_TIMEOUT_MS", "Applied", "apply"]

LOCK_TIMEOUT_MS = 80
"""A statement that waits longer makes every client queue behind it; it gives up and comes back."""

ATTEMPTS = 60
LONGEST_PAUSE_S = 1.0
Connection = psycopg.Connection[tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Applied:
    """
    What happened to one step: whether it stood already, how often it was tried, how long it took, what it changed.
    """

    step: str
    title: str
    already: bool
    attempts: int
    duration_s: float
    rows: int


def apply(
    plan: Plan,
    database: Database,
    *,
    progress: Callable[[Applied], None] = lambda _: None,
    sleep: Callable[[float], None] = time.sleep,
    jitter: Callable[[], float] = random.random,
) -> list[Applied]:
    """
    Apply the steps that do not stand yet, as superuser; a second call changes nothing.

    Before the first step it keeps a digest of every table, by which a check sees that no row is lost or changed.

    Changes the schema, its rows' tenant keys and the server's roles. A short step waits 80 ms for its lock, then
    lets everybody pass and comes back after a pause with jitter. Raises GuardError unless the database is sealed,
    StackError when a lock is never to be had or a step does not stand after it was applied.
    """
    require_sealed(database)
    done = []
    with connect(database, "superuser", autocommit=True, purpose="migration") as conn:
        conn.execute("SET client_connection_check_interval = '200ms'")
        take_baseline(conn)
        for step in plan.steps:
            one = _apply_step(step, conn, sleep, jitter)
            progress(one)
            done.append(one)
    return done


def _apply_step(step: Step, conn: Connection, sleep: Callable[[float], None], jitter: Callable[[], float]) -> Applied:
    begun = time.monotonic()
    if _stands(step, conn):
        return Applied(step.id, step.title, already=True, attempts=0, duration_s=0.0, rows=0)
    for attempt in range(1, ATTEMPTS + 1):
        try:
            rows = _run(step, conn)
        except (errors.LockNotAvailable, errors.DeadlockDetected):
            sleep(min(LONGEST_PAUSE_S, 0.05 * attempt) * (0.5 + jitter()))
            continue
        if not _stands(step, conn):
            raise StackError(
                f"step {step.id} was applied but does not stand: {rows} rows changed",
                hint="A row that no owner can be found for stays without a tenant; look for it before you go on.",
            )
        return Applied(step.id, step.title, False, attempt, round(time.monotonic() - begun, 4), rows)
    raise StackError(
        f"step {step.id} did not get its lock ({step.lock}) in {ATTEMPTS} attempts of {LOCK_TIMEOUT_MS} ms",
        hint="End the transaction that holds the relation (pg_stat_activity, pg_locks) and apply again.",
    )


def _stands(step: Step, conn: Connection) -> bool:
    row = conn.execute(step.done).fetchone()
    return row is not None and row[0] is True


def _run(step: Step, conn: Connection) -> int:
    if step.form == "alone":
        conn.execute("SET lock_timeout = 0")
        return sum(max(conn.execute(statement).rowcount, 0) for statement in step.sql)
    if step.form == "batches":
        return sum(_batches(statement, conn) for statement in step.sql)
    with conn.transaction():
        _wait_briefly(conn)
        return sum(max(conn.execute(statement).rowcount, 0) for statement in step.sql)


def _batches(statement: sql.Composed, conn: Connection) -> int:
    """
    Run a statement until it changes no row, each time committed.
    """
    changed = 0
    while True:
        with conn.transaction():
            _wait_briefly(conn)
            rows = conn.execute(statement).rowcount
        if rows <= 0:
            return changed
        changed += rows


def _wait_briefly(conn: Connection) -> None:
    conn.execute("SELECT set_config('lock_timeout', %s, true)", (f"{LOCK_TIMEOUT_MS}ms",))
