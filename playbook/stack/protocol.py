"""
Owns the narrow views that checks take (CONTRACTS §6). It must hold no behaviour: backends implement it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Literal, Protocol

from playbook.postgres.role import Role

__all__ = [
    "Capability",
    "Completed",
    "Database",
    "Edit",
    "Endpoints",
    "Fault",
    "Faults",
    "Kill",
    "Leftovers",
    "PartVersion",
    "Partition",
    "Pause",
    "Restart",
    "Role",
    "Server",
    "Signal",
    "Site",
    "Stack",
    "State",
    "Store",
    "StoreRole",
]

State = Literal["found", "hardened"]
StoreRole = Literal["app", "admin"]
Capability = Literal[
    "pooler",
    "partition",
    "clock",
    "two_instances",
    "client_addresses",
    "spare_postgres",
    "redis",
    "proxy",
    "object_store",
    "faults",
    "code_edits",
]


@dataclass(frozen=True, slots=True)
class Kill:
    """Kill a service at once (SIGKILL); heal by starting it again."""

    service: str
    instance: int | None = None


@dataclass(frozen=True, slots=True)
class Pause:
    """Freeze a service (SIGSTOP); heal by letting it go on."""

    service: str
    instance: int | None = None


@dataclass(frozen=True, slots=True)
class Partition:
    """Cut a service off from its peers; heal by reconnecting it."""

    service: str
    instance: int | None = None


@dataclass(frozen=True, slots=True)
class Restart:
    """Stop a service cleanly for the time of the fault; heal by starting it again."""

    service: str
    instance: int | None = None


@dataclass(frozen=True, slots=True)
class Signal:
    """Send a signal by number; heal by starting the service again if it ended."""

    service: str
    number: int
    instance: int | None = None


Fault = Kill | Pause | Partition | Restart | Signal


@dataclass(frozen=True, slots=True)
class Edit:
    """
    One edit of a copy of the service's code: `old` must occur exactly once in `path`.

    `path` is relative to the service's source folder.
    """

    path: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Completed:
    """
    How a command ended: exit code (negative: killed by that signal, None: still running at the limit).

    `answered` is true for a service that was stopped because it had answered its liveness probe.
    """

    argv: tuple[str, ...]
    exit_code: int | None
    stdout: str
    stderr: str
    duration_s: float
    answered: bool = False


@dataclass(frozen=True, slots=True)
class Leftovers:
    """
    What was taken down, and what is still there afterwards; each list names things a person can look up.
    """

    removed_processes: int = 0
    removed_directories: int = 0
    processes: tuple[str, ...] = ()
    ports: tuple[int, ...] = ()
    directories: tuple[str, ...] = ()
    objects: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Everything that is left, flat."""
        return (*self.processes, *(f"port {port}" for port in self.ports), *self.directories, *self.objects)


@dataclass(frozen=True, slots=True)
class PartVersion:
    """One part of a stack: its version, the digest of its program (sha256 hex) and where it came from."""

    version: str
    digest: str
    origin: str


class Database(Protocol):
    """
    One database of one state, by role.
    """

    @property
    def name(self) -> str: ...
    @property
    def sealed(self) -> bool:
        """True when our token stands both in the database and in the stack's state file. Read-only."""
        ...

    def dsn(self, role: Role) -> str:
        """A libpq connection string. `app` is the role that the service itself uses in that state."""
        ...

    def copy(self, name: str) -> AbstractContextManager[Database]:
        """Make a sealed copy on the same server; destroy it at the end. Closes the source's connections."""
        ...


class Endpoints(Protocol):
    """
    Where the state's services listen.
    """

    def url(self, service: str, instance: int | None = None) -> str: ...


class Faults(Protocol):
    """
    Faults that heal.
    """

    def fault(self, fault: Fault) -> AbstractContextManager[None]: ...


class Launcher(Protocol):
    """
    Starts the state's service once more, to see whether and how it starts.
    """

    def try_start(self, settings: Mapping[str, str | None], limit_s: float = 15.0) -> Completed:
        """
        Start one instance with these environment settings (None: unset) and see how that ends.

        Stops it again as soon as it answers its liveness probe (`exit_code` None) or at `limit_s`.
        """
        ...

    def serving(self, settings: Mapping[str, str | None]) -> AbstractContextManager[str]:
        """Start one instance with these environment settings; give its address, and stop it at the end."""
        ...


class Store(Protocol):
    """
    The shared store (Redis protocol): `app` is the service's own account, `admin` sees and does everything.
    """

    def dsn(self, role: StoreRole) -> str: ...


@dataclass(frozen=True, slots=True)
class Site:
    """
    What one state, or a throw-away copy of it, offers to checks.

    `secrets` are values generated for this stack (redacted from all evidence): "seed_password", …
    """

    database: Database
    endpoints: Endpoints
    faults: Faults
    launcher: Launcher
    capabilities: frozenset[Capability] = frozenset()
    secrets: Mapping[str, str] = field(default_factory=dict)
    store: Store | None = None


class Server(Protocol):
    """
    A spare PostgreSQL server for recovery, sealed.
    """

    def dsn(self, database: str = "postgres") -> str: ...


class Stack(Protocol):
    """
    The running, disposable services of a target.
    """

    @property
    def name(self) -> str: ...
    @property
    def capabilities(self) -> frozenset[Capability]: ...
    def up(self, services: Sequence[str] | None = None) -> None:
        """Bring the stack up, ordered and gated by health; idempotent. Makes the states found and hardened."""
        ...

    def down(self) -> Leftovers:
        """Destroy everything of this stack, also from another process and after a crash."""
        ...

    def database(self, state: State) -> Database: ...
    def endpoints(self, state: State) -> Endpoints: ...
    def faults(self, state: State) -> Faults: ...
    def site(self, state: State) -> Site:
        """The views above in one value."""
        ...

    def scratch(
        self,
        state: State,
        *,
        without: Sequence[str] = (),
        edits: Sequence[Edit] = (),
    ) -> AbstractContextManager[Site]:
        """
        Make a throw-away copy of a state: its database copied, an app (pair) of its own serving that copy.

        The app has the state's switches but those in `without`, and runs a copy of the code with `edits`.
        Raises InputError when an edit's `old` does not occur exactly once. Destroys all of it at the end.
        """
        ...

    def configure(self, state: State, switches: Mapping[str, bool]) -> None:
        """Set switches of the state's app, restart it, return once a black-box probe sees the change."""
        ...

    def switches(self, state: State) -> Mapping[str, bool]:
        """The switches as they are now."""
        ...

    def spare_postgres(self) -> AbstractContextManager[Server]: ...
    def tool(self, argv: Sequence[str]) -> Completed:
        """Run pg_dump and the like, of the server's major, where the data lies."""
        ...

    def fingerprint(self) -> Mapping[str, PartVersion]: ...
    def logs(self, service: str, since: float | None = None) -> str: ...
