"""
Owns the narrow views that checks take (CONTRACTS §6). It must hold no behaviour: backends implement it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Literal, Protocol

from playbook.postgres.role import Role

__all__ = [
    "Begun",
    "Capability",
    "Clock",
    "Completed",
    "Containers",
    "Database",
    "Doors",
    "Edit",
    "Endpoints",
    "Fault",
    "Faults",
    "InstanceRestart",
    "Kill",
    "Leftovers",
    "Logs",
    "PartVersion",
    "Partition",
    "Pause",
    "Restart",
    "RestartForm",
    "Role",
    "Rollout",
    "Server",
    "Signal",
    "Site",
    "Stack",
    "State",
    "Store",
    "StoreRole",
    "Weakness",
]

State = Literal["found", "hardened"]
StoreRole = Literal["app", "admin"]
RestartForm = Literal["naive", "graceful"]
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
    "containers",
]
Weakness = Literal[
    "root",
    "capability",
    "writable-root",
    "port-beyond-loopback",
    "no-limits",
    "secret-in-environment",
    "health-always-good",
    "health-asks-itself",
    "starts-at-once",
    "no-restart",
    "unbounded-log",
]
"""
What the container of a scratch's first instance may lack of what the others have.

`starts-at-once` is of the state that the scratch is of: there one service does not wait for the one that it needs.
"""


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
    removed_objects: Mapping[str, int] = field(default_factory=dict)

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
    Where the state's services listen: postgres, app, and where there are such redis, proxy, pooler.

    `app` without an instance is instance 0, past every proxy; `proxy` is the front door, which clients use. Raises
    Unavailable, with the reason, for what is not there.
    """

    def url(self, service: str, instance: int | None = None) -> str: ...


class Faults(Protocol):
    """
    Faults that heal: until the service answers, and the proxy sends again to the instances that were ready before.

    Of the app, a fault without an instance is a fault of all instances.
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


class Logs(Protocol):
    """
    What the state's services wrote.
    """

    def read(self, service: str) -> str:
        """Read the whole log of a service (`app`: of all instances). Raises Unavailable when it is not kept here."""
        ...


class Store(Protocol):
    """
    The shared store (Redis protocol): `app` is the service's own account, `admin` sees and does everything.
    """

    def dsn(self, role: StoreRole) -> str: ...


class Clock(Protocol):
    """
    The clock of an app and its store together; PostgreSQL and whoever probes keep the true time.
    """

    @property
    def offset_s(self) -> float: ...
    def advance(self, seconds: float) -> None:
        """Move it forward; returns once app and store tell the new time. Raises StackError when one does not."""
        ...


@dataclass(frozen=True, slots=True)
class InstanceRestart:
    """
    One instance's restart: when it was told to leave and when it was back (seconds of the wall clock).
    """

    instance: int
    left_at: float
    back_at: float


class Rollout(Protocol):
    """
    Restarts of all instances, one after another.
    """

    def restart(self, form: RestartForm) -> tuple[InstanceRestart, ...]:
        """
        Restart each instance once the one before answers again.

        `naive`: SIGTERM at once. `graceful`: taken out at the proxy, left to finish, then SIGTERM. Raises Unavailable
        for `graceful` without a proxy.
        """
        ...


class Doors(Protocol):
    """
    Addresses of the same services at which clients are told apart; there are none where a port already does that.
    """

    def door(self, url: str) -> str:
        """
        Give the address to use for an http address of the service: `unix:PATH` of a socket.

        Whoever connects there sends a line first: which loopback address to speak from; `+` or `-` comes back.
        """
        ...


@dataclass(frozen=True, slots=True)
class Begun:
    """
    How a service started: when it ran, when it was found healthy first (None: never seen so), and how it is now.
    """

    started: datetime
    healthy: datetime | None
    health: str


class Containers(Protocol):
    """
    The containers of one state or scratch, by the names of their services ("app", "app-1", "redis", …).
    """

    def names(self) -> Sequence[str]: ...
    def run(self, name: str, words: Sequence[str]) -> Completed:
        """Run a command inside, by the account of the service."""
        ...

    def shown(self, name: str) -> str:
        """All that the engine shows of a container and of its image, history included. Read-only."""
        ...

    def weaknesses(self, name: str) -> Sequence[Weakness]:
        """What it was made without, by its description: the probe of sabotages, for no check to use. Read-only."""
        ...

    def published(self, name: str) -> Sequence[str]:
        """The addresses of this machine on which its ports are published. Read-only."""
        ...

    def log_options(self, name: str) -> Mapping[str, str]:
        """How its log is kept. Read-only."""
        ...

    def health(self, name: str) -> str:
        """What its health check said last: starting, healthy, unhealthy; empty: it has none. Read-only."""
        ...

    def started(self, name: str) -> str:
        """When its present run began, in the engine's words; empty while it does not run. Read-only."""
        ...

    def described(self) -> Sequence[str]:
        """The services of the state itself, also where this is a scratch of it. Read-only."""
        ...

    def start_held(self, name: str, hold_s: float) -> Mapping[str, Begun]:
        """
        Stop all that is `described` and start it again, while one service hangs for so long from its first moment.

        Returns when everything is healthy; raises StackError when that does not come.
        """
        ...

    def hang(self, name: str) -> AbstractContextManager[None]:
        """Freeze all processes of the service, but not the container, for the time of the block."""
        ...

    def crash(self, name: str) -> None:
        """Kill the processes of the service without the engine's being told. The caller waits for it to come back."""
        ...


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
    clock: Clock | None = None
    rollout: Rollout | None = None
    logs: Logs | None = None
    containers: Containers | None = None
    doors: Doors | None = None


class Server(Protocol):
    """
    A spare PostgreSQL server for recovery, of the stack's own parts; its accounts have the stack's passwords.
    """

    @property
    def name(self) -> str: ...
    @property
    def port(self) -> int: ...
    @property
    def data_directory(self) -> Path: ...
    @property
    def running(self) -> bool: ...
    def configure(self, settings: Mapping[str, str]) -> None:
        """Add settings to those that each later start is given."""
        ...

    def initialise(self) -> None:
        """Make an empty data directory."""
        ...

    def start(self, limit_s: float = 60.0) -> None:
        """
        Serve the data directory, whoever filled it, and wait until the superuser gets in (also while it recovers).

        Raises StackError with the last lines of its log when it ends or does not answer.
        """
        ...

    def stop(self) -> None: ...
    def kill(self) -> None: ...
    def log(self) -> str: ...
    def dsn(self, database: str = "postgres") -> str:
        """A connection string of the superuser."""
        ...

    def seal(self, database: str) -> None:
        """Mark a database on it as ours; one that was restored carries its source's token, which does not count."""
        ...

    def database(self, database: str) -> Database:
        """See one of its databases as checks do, by role."""
        ...


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
        instances: int = 1,
        proxy: bool = False,
        clock: bool = False,
        settings: Mapping[str, str] | None = None,
        weakness: Weakness | None = None,
    ) -> AbstractContextManager[Site]:
        """
        Make a throw-away copy of a state: its database copied, an empty store and an app of its own serving that copy.

        The app has the state's switches but those in `without`, and runs a copy of the code with `edits`. It has
        `instances`, behind a proxy of its own if asked for; with `clock`, app and store live by a clock that moves.
        `settings` are told it besides, by setting; `weakness` takes something from its container.
        Raises Unavailable for what the stack cannot give, InputError when an edit's `old` does not occur exactly once.
        Destroys all of it at the end.
        """
        ...

    def configure(self, state: State, switches: Mapping[str, bool]) -> None:
        """Set switches, restart the instances one after another, return once a black-box probe sees the change."""
        ...

    def switches(self, state: State) -> Mapping[str, bool]:
        """The switches as they are now."""
        ...

    def spare_postgres(self, *, like: State = "hardened", empty: bool = True) -> AbstractContextManager[Server]:
        """
        Lend a second server; destroyed at the end. `empty`: it has a new data directory and runs; else it has none.
        """
        ...

    def serve_from(self, state: State, server: Server, database: str | None = None) -> AbstractContextManager[None]:
        """Let the state's service use a database on a spare server instead, for the time of the block."""
        ...

    def configure_postgres(self, state: State, settings: Mapping[str, str | None]) -> None:
        """Set settings of the state's server (None: as they were made), restarting it when they need that."""
        ...

    def archiving(self, state: State) -> AbstractContextManager[Path]:
        """Keep the state's write-ahead log in the folder that is given, for the time of the block."""
        ...

    def data_directory(self, state: State) -> Path:
        """Where the state's server keeps its data."""
        ...

    @property
    def repository(self) -> Path:
        """A folder for backups that the servers' account can read and write."""
        ...

    def tool(self, argv: Sequence[str], *, as_server: bool = False, env: Mapping[str, str] | None = None) -> Completed:
        """
        Run pg_dump and the like, of the server's major, where the data lies; or sh or gzip with those on their PATH.

        `env` is for what may not stand in a command line (PGPASSWORD).
        `as_server`: by the account of the servers, who own their data and must read what is restored.
        """
        ...

    def fingerprint(self) -> Mapping[str, PartVersion]: ...
    def logs(self, service: str, since: float | None = None) -> str: ...
