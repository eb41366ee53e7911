"""
Owns counting the statements that one request costs, where nobody can deny them: at the database.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import psycopg
from psycopg import errors, sql
from psycopg.conninfo import make_conninfo
from psycopg.rows import TupleRow

from playbook.errors import Unavailable
from playbook.postgres.connect import connect
from playbook.stack.protocol import Database

__all__ = ["Tap", "tapping"]

REPEATS = 3
SETTLE_S = 0.01
SETTLE_LIMIT_S = 3.0
IDLE_S = 0.6
"""Longer than the interval of whoever asks for readiness."""
IDLE_LIMIT_S = 15.0
MAINTENANCE = "postgres"

CALLS = sql.SQL(
    "SELECT s.queryid, sum(s.calls)::bigint FROM {view} s JOIN pg_database d ON d.oid = s.dbid"
    " WHERE d.datname = %s AND s.queryid IS NOT NULL AND s.query !~* %s GROUP BY s.queryid"
)
SESSION_CONTROL = r"^\s*(begin|commit|rollback|start|savepoint|release|end|abort|deallocate|discard|set|reset|show)\M"
"""What a pool sends around a request: it does not grow with the data. Besides, the server counts a utility statement
that was prepared the first time only (contrib/pg_stat_statements clears the identifier in the cached plan)."""

Calls = Mapping[int, int]


class Tap:
    """
    Counts the statements that clients of one database finish, as pg_stat_statements sees them.

    `background` are statements that also come when nobody asks for anything, such as those of readiness.
    """

    def __init__(self, connection: psycopg.Connection[TupleRow], database: str, view: sql.Composable) -> None:
        self._connection = connection
        self._database = database
        self._query = CALLS.format(view=view)
        self.background: frozenset[int] = frozenset()

    def calls(self) -> Calls:
        """
        Count calls so far by statement, but for those that only control the session or its transactions. Read-only.
        """
        return dict(self._connection.execute(self._query, (self._database, SESSION_CONTROL)).fetchall())

    def learn_background(self) -> None:
        """
        Learn which statements come by themselves: those of a moment in which no statement came that is new.
        """
        end = time.monotonic() + IDLE_LIMIT_S
        seen = self._during(IDLE_S)
        while (again := self._during(IDLE_S)) - seen and time.monotonic() < end:
            seen = again
        self.background = frozenset(seen | again)

    def settled(self) -> Calls:
        """
        Count when nothing was added for a moment.

        A statement counts when its transaction ends, and that may be after the response was sent.
        """
        end = time.monotonic() + SETTLE_LIMIT_S
        seen = self.calls()
        while True:
            time.sleep(SETTLE_S)
            now = self.calls()
            if not self._added(seen, now) or time.monotonic() > end:
                return now
            seen = now

    def least(self, act: Callable[[], None], *, repeats: int = REPEATS) -> int:
        """
        Count what `act` costs. Others can only add to it, so that the least of some repeats, by statement, is exact.

        Two that are the same end it: what others add would have to come twice.
        """
        counts: list[Counter[int]] = []
        before = self.settled()
        for _ in range(repeats):
            act()
            after = self.settled()
            counts.append(self._added(before, after))
            before = after
            if counts[-1] in counts[:-1]:
                break
        return sum(min(one[statement] for one in counts) for statement in counts[0])

    def _during(self, seconds: float) -> set[int]:
        before = self.calls()
        time.sleep(seconds)
        return {one for one, number in self.calls().items() if number > before.get(one, 0)}

    def _added(self, before: Calls, after: Calls) -> Counter[int]:
        return Counter(
            {
                one: number - before.get(one, 0)
                for one, number in after.items()
                if number > before.get(one, 0) and one not in self.background
            }
        )


@contextmanager
def tapping(database: Database) -> Iterator[Tap]:
    """
    Count at a database for the time of the block; leaves nothing behind.

    The extension's view is made in the server's maintenance database, in a transaction that is rolled back: the
    counters themselves live in shared memory. Raises Unavailable where the server was not started with them.
    """
    dsn = make_conninfo(database.dsn("superuser"), dbname=MAINTENANCE)
    connection = connect(dsn, "superuser", purpose="statements")
    try:
        try:
            connection.execute("CREATE SCHEMA playbook_tap")
            connection.execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements SCHEMA playbook_tap")
            row = connection.execute(
                "SELECT n.nspname FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace"
                " WHERE e.extname = 'pg_stat_statements'"
            ).fetchone()
            view = sql.Identifier(str(row[0]) if row else "playbook_tap", "pg_stat_statements")
            tap = Tap(connection, database.name, view)
            tap.learn_background()
        except (errors.FeatureNotSupported, errors.UndefinedFile, errors.ObjectNotInPrerequisiteState) as err:
            raise Unavailable(
                f"the server does not count statements: {str(err).splitlines()[0]}",
                hint="Start it with shared_preload_libraries = 'pg_stat_statements'.",
            ) from err
        yield tap
    finally:
        connection.rollback()
        connection.close()
