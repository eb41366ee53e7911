"""
Owns how we connect: always as a named role, and the server's own views show which.
"""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg.conninfo import make_conninfo
from psycopg.rows import TupleRow

from playbook.postgres.kept import kept_connection
from playbook.postgres.role import HasDsn, Role

__all__ = ["connect", "read_major"]


def connect(
    target: HasDsn | str,
    role: Role,
    *,
    autocommit: bool = False,
    read_only: bool = False,
    purpose: str = "",
    connect_timeout_s: int = 5,
    options: str = "",
    fresh: bool = False,
) -> psycopg.Connection[TupleRow]:
    """
    Open a connection as `role`; `application_name` says `playbook role purpose`.

    With a plain connection string the role is what the caller says that it is. Used as a context manager it
    commits, or rolls back on an error, and closes. `fresh`: a session in which nothing was ever set, also where a
    superuser's are kept from one question to the next. Raises psycopg.OperationalError when nobody answers.
    """
    dsn = target if isinstance(target, str) else target.dsn(role)
    settings: dict[str, Any] = {
        "application_name": " ".join(word for word in ("playbook", role, purpose) if word)[:63],
        "connect_timeout": connect_timeout_s,
    }
    if options:
        settings["options"] = options
    conninfo = make_conninfo(dsn, **settings)
    kept = kept_connection(conninfo) if role == "superuser" and not fresh else None
    connection = kept or psycopg.connect(conninfo, autocommit=autocommit)
    if kept is not None:
        kept.autocommit = autocommit
    if read_only:
        connection.read_only = True
    return connection


def read_major(target: HasDsn | str) -> int:
    """
    Ask a server for its major version. Read-only. Raises psycopg.OperationalError when nobody answers.
    """
    with connect(target, "superuser", read_only=True, purpose="version") as connection:
        return connection.info.server_version // 10000
