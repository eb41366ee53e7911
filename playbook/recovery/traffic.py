"""
Owns the live traffic of a drill: small transactions as the service's own role, each with a numbered marker.

What was committed, when and at which position of the log is known here, and so is what a restore lost.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Self

import psycopg
from psycopg import sql

from playbook.errors import StackError
from playbook.postgres.connect import connect
from playbook.recovery.planting import SCHEMA

__all__ = ["Marker", "Touch", "Traffic", "find_touch", "refused_write"]

_PAUSE_S = 0.01
_STOP_LIMIT_S = 10.0


@dataclass(frozen=True, slots=True)
class Marker:
    """
    One committed transaction: its number, when its commit was answered (the drill's seconds), the log's position then.
    """

    n: int
    committed_s: float
    lsn: str


@dataclass(frozen=True, slots=True)
class Touch:
    """
    What a transaction changes beside its marker: a time of one row of a tenant's table.
    """

    relation: tuple[str, str]
    column: str
    setting: str
    tenant: str


class Traffic:
    """
    One writer. A context manager: it writes from the start of the block until its end, or until nobody answers.
    """

    def __init__(self, dsn: str, touch: Touch | None, *, clock: Callable[[], float]) -> None:
        self._dsn = dsn
        self._touch = touch
        self._clock = clock
        self._markers: list[Marker] = []
        self._free = threading.RLock()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._write, name="drill-traffic", daemon=True)
        self.ended: str | None = None

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.rest()

    def rest(self) -> None:
        """
        Write no more.
        """
        self._over.set()
        self._thread.join(_STOP_LIMIT_S)

    @property
    def markers(self) -> tuple[Marker, ...]:
        """What was committed so far. Read-only."""
        return tuple(self._markers)

    @contextmanager
    def held(self) -> Iterator[None]:
        """
        Let no transaction be under way inside the block.
        """
        with self._free:
            yield

    def wait_for(self, count: int, *, limit_s: float = 30.0) -> None:
        """
        Wait until this many more were committed.

        Raises StackError when the writer ended before, or at the limit: a drill without markers would show nothing.
        """
        before = len(self._markers)
        end = self._clock() + limit_s
        while (written := len(self._markers) - before) < count:
            if not self._thread.is_alive() or self._clock() > end:
                raise StackError(
                    f"The drill's traffic wrote {written} of {count} markers: {self.ended or 'it is too slow'}",
                    hint="May the service's role update the table that its policies and triggers guard?",
                )
            self._over.wait(0.005)

    def _write(self) -> None:
        try:
            with connect(self._dsn, "app", autocommit=True, purpose="traffic") as connection:
                while not self._over.is_set():
                    with self._free:
                        self._once(connection, len(self._markers) + 1)
                    self._over.wait(_PAUSE_S)
        except psycopg.Error as error:
            self.ended = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__

    def _once(self, connection: psycopg.Connection[tuple[object, ...]], number: int) -> None:
        with connection.transaction():
            _write(connection, self._touch, number)
        row = connection.execute("SELECT pg_current_wal_lsn()::text").fetchone()
        assert row is not None
        self._markers.append(Marker(number, self._clock(), str(row[0])))


def refused_write(dsn: str, touch: Touch | None) -> str | None:
    """
    Write once more as the service's role, and take it back; return why it was refused, or None.
    """
    try:
        with connect(dsn, "app", purpose="traffic") as connection:
            _write(connection, touch, -1)
            connection.rollback()
    except psycopg.Error as error:
        return " ".join(str(error).split())
    return None


def find_touch(dsn: str, *, role: str, root: str, setting: str) -> Touch | None:
    """
    Find a table that the service's role may update and that has a time to set; None when there is none. Read-only.
    """
    query = """
        SELECT n.nspname::text, c.relname::text, a.attname::text
          FROM pg_class c
          JOIN pg_namespace n ON n.oid = c.relnamespace
          JOIN pg_attribute a ON a.attrelid = c.oid AND a.atttypid = 'timestamptz'::regtype AND NOT a.attisdropped
         WHERE c.relkind = 'r' AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'playbook', %s)
           AND format('%%s.%%s', n.nspname, c.relname) <> %s
           AND has_table_privilege(%s, c.oid, 'SELECT') AND has_column_privilege(%s, c.oid, a.attnum, 'UPDATE')
         ORDER BY a.attname <> 'updated_at', c.reltuples, 1, 2 LIMIT 1
    """
    with connect(dsn, "superuser", read_only=True, purpose="traffic") as connection:
        found = connection.execute(query, (SCHEMA, root, role, role)).fetchone()
        first = connection.execute(
            sql.SQL("SELECT min(id)::text FROM {}").format(sql.Identifier(*root.split(".", 1)))
        ).fetchone()
    if found is None or first is None or first[0] is None:
        return None
    return Touch((str(found[0]), str(found[1])), str(found[2]), setting, str(first[0]))


def _write(connection: psycopg.Connection[tuple[object, ...]], touch: Touch | None, number: int) -> None:
    if touch is not None:
        connection.execute("SELECT set_config(%s, %s, true)", (touch.setting, touch.tenant))
        connection.execute(_touching(touch))
    connection.execute(sql.SQL("INSERT INTO {} (n) VALUES (%s)").format(sql.Identifier(SCHEMA, "marker")), (number,))


def _touching(touch: Touch) -> sql.Composed:
    return sql.SQL("UPDATE {t} SET {c} = clock_timestamp() WHERE ctid = (SELECT min(ctid) FROM {t})").format(
        t=sql.Identifier(*touch.relation), c=sql.Identifier(touch.column)
    )
