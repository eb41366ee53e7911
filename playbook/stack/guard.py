"""
Owns the question whether we may write to a database (CONTRACTS §7).

A database is ours if a random token stands both in it and in the state file of the stack that serves it at that
address, or if the user named it as disposable. Nothing is inferred from where it listens: a tunnel is loopback too.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

import psycopg
from psycopg import errors

from playbook.errors import GuardError, StackError
from playbook.postgres.connect import connect

__all__ = ["SCHEMA", "is_sealed", "read_token", "require_disposable", "require_sealed", "write_seal"]

SCHEMA = "playbook"
"""Left out of every digest and of every dump that we compare."""


class Sealable(Protocol):
    """
    A database that knows whether it is sealed.
    """

    @property
    def name(self) -> str: ...
    @property
    def sealed(self) -> bool: ...


def require_sealed(database: Sealable) -> None:
    """
    Refuse to go on unless the database is sealed. Read-only. Raises GuardError.
    """
    if not database.sealed:
        raise GuardError(
            f"The database {database.name} is not sealed: nothing marks it as disposable",
            hint="Only copies that the playbook made are written to: playbook clone, or playbook up.",
        )


def is_sealed(dsn: str, tokens: Collection[str]) -> bool:
    """
    Say whether one of these tokens stands in the database. Read-only. Raises StackError when nobody answers.
    """
    token = read_token(dsn)
    return token is not None and token in tokens


def read_token(dsn: str) -> str | None:
    """
    Read the token in the database; None when there is none, or more than one, or we may not see it. Read-only.
    """
    try:
        with connect(dsn, "superuser", read_only=True, purpose="guard") as connection:
            rows = connection.execute("SELECT token FROM playbook.seal").fetchall()
    except (errors.UndefinedTable, errors.InvalidSchemaName, errors.InsufficientPrivilege, errors.UndefinedColumn):
        return None
    except psycopg.OperationalError as error:
        raise StackError(f"The seal cannot be read: {error}", hint="Is the server up?") from error
    return str(rows[0][0]) if len(rows) == 1 else None


def require_disposable(dsn: str, name: str) -> None:
    """
    Refuse to go on unless the user's `--disposable-database NAME` is the database that this DSN leads to. Read-only.

    Raises GuardError, and StackError when nobody answers.
    """
    try:
        with connect(dsn, "owner", read_only=True, purpose="guard") as connection:
            row = connection.execute("SELECT current_database()").fetchone()
    except psycopg.OperationalError as error:
        raise StackError(f"The database cannot be reached: {error}", hint="Check the DSN.") from error
    current = None if row is None else str(row[0])
    if not name or current != name:
        raise GuardError(
            f"{name!r} was named as disposable, but the connection leads to the database {current!r}",
            hint="Name the database itself: --disposable-database must equal its current_database().",
        )


def write_seal(dsn: str, token: str) -> None:
    """
    Put a token into a database that we have just made, in place of any older one. Needs its superuser.
    """
    with connect(dsn, "superuser", purpose="seal") as connection:
        connection.execute("CREATE SCHEMA IF NOT EXISTS playbook")
        connection.execute("REVOKE ALL ON SCHEMA playbook FROM PUBLIC")
        connection.execute("CREATE TABLE IF NOT EXISTS playbook.seal (token text NOT NULL)")
        connection.execute("REVOKE ALL ON TABLE playbook.seal FROM PUBLIC")
        connection.execute("DELETE FROM playbook.seal")
        connection.execute("INSERT INTO playbook.seal (token) VALUES (%s)", (token,))
