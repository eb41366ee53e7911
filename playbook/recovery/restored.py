"""
Owns a restored database as checks see it: by role with the passwords it had, sealed, a throw-away itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from psycopg import sql

from playbook.postgres.connect import connect
from playbook.postgres.role import Role
from playbook.recovery.yard import Spare
from playbook.stack.guard import require_sealed

__all__ = ["RestoredDatabase"]


@dataclass(frozen=True, slots=True)
class RestoredDatabase:
    """
    One database of a spare server.
    """

    server: Spare
    name: str

    @property
    def sealed(self) -> bool:
        return self.server.sealed(self.name)

    def dsn(self, role: Role) -> str:
        """
        Spell a libpq connection string.
        """
        return self.server.dsn(self.name, role)

    @contextmanager
    def copy(self, name: str) -> Iterator[RestoredDatabase]:
        """
        Make a sealed copy on the same server; destroy it at the end. Closes the source's connections.
        """
        require_sealed(self)
        with connect(self.server.dsn("postgres"), "superuser", autocommit=True, purpose="copy") as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (self.name,)
            )
            connection.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(self.name))
            )
        try:
            self.server.seal(name)
            yield RestoredDatabase(self.server, name)
        finally:
            with connect(self.server.dsn("postgres"), "superuser", autocommit=True, purpose="copy") as connection:
                connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
