"""
Owns the narrow view of where recovery is rehearsed: spare servers, their folder, the client tools, the service.

It must hold no behaviour: backends of the stack implement it. Whatever it hands out is disposable.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from playbook.postgres.role import Role
from playbook.stack.protocol import Completed, Database, Endpoints

__all__ = ["Spare", "Yard"]


class Spare(Protocol):
    """
    One spare server: a data directory that we may fill, serve, kill and lose.
    """

    @property
    def data(self) -> Path:
        """The data directory; it is not there before `initialise`, or before somebody fills it."""
        ...

    @property
    def running(self) -> bool: ...

    def initialise(self) -> None:
        """Make an empty server with the superuser of the stack's servers, same password, and nothing else."""
        ...

    def start(self, settings: Mapping[str, str] | None = None) -> None:
        """
        Serve the data directory as the server's account, with these settings on the command line.

        Returns once it lets the superuser in, which a server that still recovers does too (hot standby). Raises
        StackError with the log's last lines when it ended before.
        """
        ...

    def stop(self) -> None: ...
    def kill(self) -> None:
        """Kill it at once (SIGKILL), whatever it was doing."""
        ...

    def dsn(self, database: str, role: Role = "superuser") -> str:
        """A libpq connection string with the account and password that the stack's own servers have."""
        ...

    def seal(self, database: str) -> None:
        """Put a new token into a database of this server and remember it (CONTRACTS §7)."""
        ...

    def sealed(self, database: str) -> bool: ...
    def log(self) -> str:
        """The end of the server's log. Read-only."""
        ...


class Yard(Protocol):
    """
    A place to rehearse in.
    """

    @property
    def folder(self) -> Path:
        """Ours alone, gone afterwards; the server's account may pass through it."""
        ...

    def spare(self, name: str) -> AbstractContextManager[Spare]:
        """A spare server, not initialised; stopped and destroyed at the end."""
        ...

    def hand_over(self, path: Path) -> None:
        """Let the server's account own a folder or file and all below it."""
        ...

    def run(
        self, argv: Sequence[str], *, env: Mapping[str, str], stdout: Path | None = None, limit_s: float = 600.0
    ) -> Completed:
        """
        Run a command with PATH beginning with PostgreSQL's programs of the server's version; `stdout` takes its output.
        """
        ...

    def serve(self, database: Database) -> AbstractContextManager[Endpoints]:
        """The state's service (its code, its switches) on another database; returns when it is ready."""
        ...
