"""
Owns connections that are kept open from one question to the next, where hundreds are asked of one database.

Only a superuser's are kept, who looks at what really is there: what another role sees may depend on what its session
did before.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import pq, sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.rows import TupleRow

__all__ = ["kept_connection", "kept_connections"]

_NAME = "application_name"
_RESET = (
    "SET SESSION AUTHORIZATION DEFAULT; RESET ALL; CLOSE ALL; UNLISTEN *; DISCARD TEMP; SELECT pg_advisory_unlock_all()"
)
"""What DISCARD ALL does, but for the prepared statements, of which psycopg keeps a list of its own."""


class _Place(threading.local):
    """
    The idle connections of this thread by connection string; None where none are kept.
    """

    idle: dict[str, list[psycopg.Connection[TupleRow]]] | None = None


_PLACE = _Place()


@contextmanager
def kept_connections() -> Iterator[None]:
    """
    Keep a superuser's connections in the block, in this thread; they are closed at its end. Blocks do not nest.
    """
    _PLACE.idle = {}
    try:
        yield
    finally:
        idle, _PLACE.idle = _PLACE.idle, None
        for connection in [one for several in idle.values() for one in several]:
            psycopg.Connection.close(connection)


def kept_connection(conninfo: str) -> psycopg.Connection[TupleRow] | None:
    """
    Open a connection that `close` gives back, or take an idle one, whose session was reset; None outside the block.

    Raises psycopg.OperationalError when nobody answers.
    """
    if _PLACE.idle is None:
        return None
    words: dict[str, Any] = conninfo_to_dict(conninfo)
    name = words.pop(_NAME, "")
    place = make_conninfo(**words)
    idle = _PLACE.idle.setdefault(place, [])
    while idle:
        connection = idle.pop()
        try:
            connection.execute(sql.SQL("SET application_name = {}").format(name))
        except psycopg.OperationalError:
            psycopg.Connection.close(connection)
        else:
            return connection
    made = _Kept.connect(conninfo, autocommit=True)
    made.place = place
    return made


class _Kept(psycopg.Connection[TupleRow]):
    """
    A connection that is given back when it is closed, unless the block ended or it broke.
    """

    place: str = ""

    def close(self) -> None:
        """
        Reset the session and give it back.
        """
        if _PLACE.idle is None or self.closed or self.broken or not self._reset():
            super().close()
        else:
            _PLACE.idle.setdefault(self.place, []).append(self)

    def _reset(self) -> bool:
        try:
            if self.info.transaction_status != pq.TransactionStatus.IDLE:
                self.rollback()
            self.read_only = None
            self.autocommit = True
            self.execute(_RESET)
        except psycopg.Error:
            return False
        return True
