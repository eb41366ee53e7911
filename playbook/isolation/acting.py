"""
Owns acting as a tenant over the service's own connection, the tenant bound to the transaction as the service does.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg
from psycopg import Connection, errors, sql
from psycopg.rows import TupleRow

from playbook.postgres.connect import connect
from playbook.proof.scene import Scene
from playbook.tenancy.relations import need_tenancy

__all__ = ["Attempt", "acting", "app", "attempt"]


REFUSALS = (
    errors.InsufficientPrivilege,
    errors.IntegrityError,
    errors.DataError,
    errors.RaiseException,
    errors.InvalidCursorState,
)
"""How a server says no; anything else is a defect of the attempt."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """
    How one statement ended: the rows that the server says it reached, or the words and state of its refusal.
    """

    rows: int
    refused: str | None = None

    @property
    def by_policy(self) -> bool:
        """True when a policy's WITH CHECK refused what had been reached (not a missing grant)."""
        return self.refused is not None and "row-level security policy" in self.refused


def app(scene: Scene) -> Connection[TupleRow]:
    """
    Connect as the service itself does in this state.
    """
    return connect(scene.database, "app", autocommit=True, purpose="tenant")


@contextmanager
def acting(scene: Scene, conn: Connection[TupleRow], tenant: str | None) -> Iterator[Connection[TupleRow]]:
    """
    Run the block in one transaction bound to a tenant (None: to nothing); commit at the end.
    """
    setting = need_tenancy(scene.target).setting
    with conn.transaction():
        if tenant is not None:
            conn.execute("SELECT set_config(%s, %s, true)", (setting, tenant))
        yield conn


def attempt(
    scene: Scene,
    conn: Connection[TupleRow],
    tenant: str | None,
    statement: sql.Composed,
    values: tuple[object, ...] = (),
    *,
    keep: bool,
) -> Attempt:
    """
    Try one statement as a tenant; `keep` commits it, else it is rolled back once its rows were counted.

    The whole transaction is one message to the server: thousands of attempts cost mostly the way there and back.
    `statement` may be several, of which the last one's rows count.
    """
    bind = sql.SQL("SELECT set_config({}, {}, true);").format(need_tenancy(scene.target).setting, tenant)
    sent = sql.SQL("BEGIN; {bind} {statement}; {end}").format(
        bind=sql.SQL("") if tenant is None else bind,
        statement=statement,
        end=sql.SQL("COMMIT" if keep else "ROLLBACK"),
    )
    try:
        with psycopg.ClientCursor(conn) as cursor:
            cursor.execute(sent, values)
            counts = [cursor.rowcount]
            while cursor.nextset():
                counts.append(cursor.rowcount)
    except REFUSALS as err:
        conn.execute("ROLLBACK")
        return Attempt(0, f"{err.sqlstate} {str(err).splitlines()[0]}")
    return Attempt(max(counts[-2], 0))
