"""
Owns counting the statements that one request costs, where nobody can deny them: at the database.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
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
SETTLE_S = 0.02
SETTLE_LIMIT_S = 2.0
MAINTENANCE = "postgres"

CALLS = sql.SQL(
    "SELECT coalesce(sum(s.calls), 0) FROM {view} s JOIN pg_database d ON d.oid = s.dbid"
    " WHERE d.datname = %s AND s.query !~* %s"
)
SESSION_CONTROL = r"^\s*(begin|commit|rollback|start|savepoint|release|end|abort|deallocate|discard|set|reset|show)\M"
"""What a pool sends around a request: it does not grow with the data. Besides, the server counts a utility statement
that was prepared the first time only (contrib/pg_stat_statements clears the identifier in the cached plan)."""


class Tap:
    """
    Counts the statements that clients of one database finish, as pg_stat_statements sees them.
    """

    def __init__(self, connection: psycopg.Connection[TupleRow], database: str, view: sql.Composable) -> None:
        self._connection = connection
        self._database = database
        self._query = CALLS.format(view=view)

    def statements(self) -> int:
        """
        Count all statements so far, but for those that only control the session or its transactions. Read-only.
        """
        row = self._connection.execute(self._query, (self._database, SESSION_CONTROL)).fetchone()
        return int(row[0]) if row else 0

    def settled(self) -> int:
        """
        Count when nothing was added for a moment.

        A statement counts when its transaction ends, and that may be after the response was sent.
        """
        end = time.monotonic() + SETTLE_LIMIT_S
        seen = self.statements()
        while True:
            time.sleep(SETTLE_S)
            now = self.statements()
            if now == seen or time.monotonic() > end:
                return now
            seen = now

    def least(self, act: Callable[[], None], *, repeats: int = REPEATS) -> int:
        """
        Count what `act` costs. Others' statements can only add to it, so that the least of some repeats is exact.
        """
        counts = []
        for _ in range(repeats):
            before = self.settled()
            act()
            counts.append(self.settled() - before)
        return min(counts)


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
            tap.statements()
        except (errors.FeatureNotSupported, errors.UndefinedFile, errors.ObjectNotInPrerequisiteState) as err:
            raise Unavailable(
                f"the server does not count statements: {str(err).splitlines()[0]}",
                hint="Start it with shared_preload_libraries = 'pg_stat_statements'.",
            ) from err
        yield tap
    finally:
        connection.rollback()
        connection.close()
