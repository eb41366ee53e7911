"""
Owns one database of a local stack, as checks see it, and its throw-away copies.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Self

import psycopg
from psycopg import errors, sql
from psycopg.rows import TupleRow

from playbook.errors import InputError
from playbook.postgres.connect import connect
from playbook.postgres.role import Role
from playbook.stack.ground import Ground
from playbook.stack.guard import is_sealed, require_sealed, write_seal
from playbook.stack.protocol import Database

__all__ = ["LocalDatabase", "seal"]

_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
_ONE_COPY_AT_A_TIME = 7_205_114_906  # key of the advisory lock: any constant that is ours


def seal(ground: Ground, state: str, name: str) -> None:
    """
    Seal a database that we have just made: a new token into it and into the state file.
    """
    token = secrets.token_hex(16)
    write_seal(ground.dsn(state, name, "superuser"), token)
    ground.file.update_state(state, lambda old: old.model_copy(update={"seals": {**old.seals, name: token}}))


class LocalDatabase:
    """
    A database on the server of one state.

    `switches` says what the service that uses it has on: that decides who the role `app` is.
    """

    def __init__(
        self, ground: Ground, state: str, name: str, *, switches: Callable[[], Mapping[str, bool]] | None = None
    ) -> None:
        self._ground = ground
        self._state = state
        self._name = name
        self._switches = switches or (lambda: ground.record().states[state].switches)

    @property
    def name(self) -> str:
        return self._name

    @property
    def sealed(self) -> bool:
        token = self._ground.record().states[self._state].seals.get(self._name)
        return token is not None and is_sealed(self.dsn("superuser"), {token})

    def dsn(self, role: Role) -> str:
        """
        Spell a libpq connection string; `app` is whoever the service connects as with its present switches.
        """
        return self._ground.dsn(self._state, self._name, role, app_role=self._app_role())

    def service_dsn(self, pooler_port: int | None) -> str:
        """
        Spell the connection string that the service itself is given: through the pooler, if there is one.
        """
        return self._ground.dsn(self._state, self._name, "app", app_role=self._app_role(), port=pooler_port or 0)

    def owner_dsn(self) -> str:
        """
        Spell the connection string that the service is given for its schema.
        """
        return self.dsn("owner")

    @contextmanager
    def copy(self, name: str) -> Iterator[Database]:
        """
        Make a sealed copy on the same server; destroy it at the end. Closes the source's connections.
        """
        if _NAME.fullmatch(name) is None:
            raise InputError(f"{name!r} cannot name a copy", hint="Use lower-case letters, digits and underscores.")
        with self._maintain() as connection:
            connection.execute("SELECT pg_advisory_lock(%s)", (_ONE_COPY_AT_A_TIME,))
            require_sealed(self)  # behind the lock: while another copies, the source lets nobody in
            self._make_copy(connection, name)
        copied = type(self)(self._ground, self._state, name, switches=self._switches)
        try:
            seal(self._ground, self._state, name)
            yield copied
        finally:
            self._destroy_copy(name)

    def serving(self, switches: Mapping[str, bool]) -> Self:
        """
        See the same database as a service with other switches uses it.
        """
        return type(self)(self._ground, self._state, self._name, switches=lambda: switches)

    def open(self) -> None:
        """
        Let connections in again, after a copy that was killed half-way.
        """
        with self._maintain() as connection:
            self._allow(connection, allowed=True)

    def _app_role(self) -> Role:
        return "app" if self._ground.record().service.uses_app_role(self._switches()) else "owner"

    def _make_copy(self, connection: psycopg.Connection[TupleRow], name: str) -> None:
        source, target = sql.Identifier(self._name), sql.Identifier(name)
        self._allow(connection, allowed=False)
        try:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (self._name,)
            )
            connection.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER {}").format(
                    target, source, sql.Identifier(self._ground.record().accounts.owner)
                )
            )
        except errors.DuplicateDatabase:
            raise InputError(f"A database {name} exists already", hint="Give the copy another name.") from None
        finally:
            self._allow(connection, allowed=True)
        self._carry_over(connection, name)

    def _carry_over(self, connection: psycopg.Connection[TupleRow], name: str) -> None:
        # CREATE DATABASE copies neither settings (ALTER DATABASE SET) nor grants (manual, CREATE DATABASE, Notes);
        # the catalogue's own rows are exact where re-spelled commands would have to quote lists of names.
        with connection.transaction():
            connection.execute(
                "INSERT INTO pg_db_role_setting (setdatabase, setrole, setconfig)"
                " SELECT new.oid, s.setrole, s.setconfig FROM pg_db_role_setting s"
                " JOIN pg_database old ON old.oid = s.setdatabase, pg_database new"
                " WHERE old.datname = %s AND new.datname = %s",
                (self._name, name),
            )
            connection.execute(
                "UPDATE pg_database new SET datacl = old.datacl, datconnlimit = old.datconnlimit, datdba = old.datdba"
                " FROM pg_database old WHERE old.datname = %s AND new.datname = %s",
                (self._name, name),
            )

    def _destroy_copy(self, name: str) -> None:
        self._ground.file.update_state(
            self._state,
            lambda old: old.model_copy(update={"seals": {k: v for k, v in old.seals.items() if k != name}}),
        )
        with self._maintain() as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def _allow(self, connection: psycopg.Connection[TupleRow], *, allowed: bool) -> None:
        connection.execute(
            sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS {}").format(sql.Identifier(self._name), sql.Literal(allowed))
        )

    def _maintain(self) -> psycopg.Connection[TupleRow]:
        dsn = self._ground.dsn(self._state, "postgres", "superuser")
        return connect(dsn, "superuser", autocommit=True, purpose="copy")
