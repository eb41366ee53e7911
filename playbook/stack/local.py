"""
Owns the local stack: PostgreSQL servers and apps as processes on loopback, behind the protocol that checks know.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import psycopg

from playbook.errors import InputError, StackError, Unavailable
from playbook.postgres.parts import Origin
from playbook.postgres.server import Durability
from playbook.stack.apps import App
from playbook.stack.database import LocalDatabase
from playbook.stack.endpoints import SERVICES, LocalEndpoints
from playbook.stack.faults import LocalFaults
from playbook.stack.founding import found_stack
from playbook.stack.ground import Ground
from playbook.stack.launcher import LocalLauncher
from playbook.stack.mend import destroy
from playbook.stack.protocol import Capability, Completed, Edit, Leftovers, PartVersion, Server, Site, State
from playbook.stack.registry import folder_of
from playbook.stack.scratch import scratch_site
from playbook.stack.source import Accounts, ServiceSource
from playbook.stack.states import STATES, States
from playbook.stack.supervisor import FAREWELL
from playbook.stack.tools import read_fingerprint, run_tool

__all__ = ["LocalStack"]

_CAPABILITIES: frozenset[Capability] = frozenset({"faults", "code_edits"})


class LocalStack:
    """
    A stack in a folder of its own; any process of the same user can attach to it by name.
    """

    def __init__(self, ground: Ground, pipe: int | None = None) -> None:
        self._ground = ground
        self._pipe = pipe
        self._states = States(ground)

    @classmethod
    def create(
        cls,
        name: str,
        *,
        service: ServiceSource,
        seed: int,
        profile: str = "quick",
        accounts: Accounts | None = None,
        run_folder: Path | None = None,
        owner_pipe: bool = True,
        parts: Origin = "wheel",
        durability: Durability = "disposable",
        root: Path | None = None,
    ) -> LocalStack:
        """
        Begin a stack; `up` then fills it.

        With `owner_pipe` it lives no longer than this process: if that ends without `down` or `release`, everything
        goes, and `run_folder` gets its INTERRUPTED mark. Without, it lives until `down`. `root` replaces the temp
        root. Raises InputError when the name is in use, StackError when it cannot begin.
        """
        ground, pipe = found_stack(
            name,
            service=service,
            accounts=accounts or Accounts(),
            profile=profile,
            seed=seed,
            run_folder=run_folder,
            owner_pipe=owner_pipe,
            parts=parts,
            durability=durability,
            root=root,
        )
        return cls(ground, pipe)

    @classmethod
    def attach(cls, name: str, *, root: Path | None = None) -> LocalStack:
        """
        Use a stack that another process began. Raises StackError when there is none of this name.
        """
        ground = Ground(folder_of(name, root))
        ground.record()
        return cls(ground)

    @property
    def name(self) -> str:
        return self._ground.folder.name

    @property
    def capabilities(self) -> frozenset[Capability]:
        return _CAPABILITIES

    @property
    def secrets(self) -> Mapping[str, str]:
        """Everything generated for this stack that no evidence may show."""
        record = self._ground.record()
        seals = {f"seal_{state}_{name}": t for state, r in record.states.items() for name, t in r.seals.items()}
        return {**record.secrets, **seals}

    def up(self, services: Sequence[str] | None = None, *, progress: Callable[[str], None] = lambda _: None) -> None:
        """
        Make the states if they are not there, start what does not run, wait until all of it answers.

        `progress` is told each step's name. When the first time fails, nothing of the stack is left.
        """
        wanted = SERVICES if services is None else tuple(services)
        unknown = sorted(set(wanted) - set(SERVICES))
        if unknown:
            raise InputError(f"There is no service {', '.join(unknown)}", hint=f"There are: {', '.join(SERVICES)}.")
        with self._alone():
            if self._ground.record().ready:
                self._states.serve(wanted)
                return
            try:
                self._states.make(progress)
                progress("apps")
                self._states.serve(wanted)
                self._ground.file.update(lambda old: old.model_copy(update={"ready": True}))
            except BaseException as error:
                self.down()
                if isinstance(error, OSError | psycopg.Error):
                    raise StackError(
                        f"{self.name} could not be brought up: {error}", hint="Is there disk and memory left?"
                    ) from error
                raise

    def down(self) -> Leftovers:
        """
        Destroy everything of this stack; also from another process, and after a crash.
        """
        left = destroy(self._ground.folder)
        self._close_pipe()
        return left

    def release(self) -> None:
        """
        Let the stack outlive this process.
        """
        if self._pipe is not None:
            os.write(self._pipe, FAREWELL)
            self._ground.file.update(lambda old: old.model_copy(update={"owner_pipe": False}))
            self._close_pipe()

    def database(self, state: State) -> LocalDatabase:
        return self._states.database(self._known(state))

    def endpoints(self, state: State) -> LocalEndpoints:
        return LocalEndpoints(self._ground, self._known(state), self._states.app(state))

    def faults(self, state: State) -> LocalFaults:
        return LocalFaults(self._ground, self._known(state), self._states.app(state))

    def site(self, state: State) -> Site:
        """
        The views above in one value.
        """
        return self._site(self._known(state), self._states.app(state), self._states.database(state))

    def scratch(
        self, state: State, *, without: Sequence[str] = (), edits: Sequence[Edit] = ()
    ) -> AbstractContextManager[Site]:
        """
        Make a throw-away copy of a state; it shares the state's server, and so its roles and faults of "postgres".
        """
        return scratch_site(
            self._ground,
            self._known(state),
            self._states.database(state),
            lambda app, database: self._site(state, app, database),
            without=without,
            edits=edits,
        )

    def configure(self, state: State, switches: Mapping[str, bool]) -> None:
        """
        Set switches of the state's app and restart it; returns once it says itself that they are set.

        When it does not come up with them, the old ones are put back and StackError is raised.
        """
        record = self._ground.record()
        record.service.checked(tuple(switches))
        old = record.states[self._known(state)].switches
        self._set_switches(state, {**old, **switches})
        app = self._states.app(state)
        app.stop()
        try:
            self._states.serve_app(state)
        except StackError:
            self._set_switches(state, old)
            app.stop()
            self._states.serve_app(state)
            raise

    def switches(self, state: State) -> Mapping[str, bool]:
        """
        The switches as they are now.
        """
        return dict(self._ground.record().states[self._known(state)].switches)

    def spare_postgres(self) -> AbstractContextManager[Server]:
        raise Unavailable("The local stack has no spare server yet", hint="The capability is spare_postgres.")

    def tool(self, argv: Sequence[str]) -> Completed:
        return run_tool(self._ground, argv)

    def fingerprint(self) -> Mapping[str, PartVersion]:
        return read_fingerprint(self._ground, self._states.app("found"))

    def logs(self, service: str, since: float | None = None) -> str:
        """
        Read the log of "postgres" or "app" of both states, or of one process like "found/app". Read-only.

        `since`: seconds of the wall clock; up to half a second before it may be shown too.
        """
        processes = [service] if "/" in service else [f"{state}/{service}" for state in STATES]
        texts = []
        for process in processes:
            log = self._ground.log(process)
            if not log.is_file():
                raise InputError(f"There is no log of {process}", hint="There are: postgres, app, found/app, …")
            offset = 0 if since is None else self._ground.control.log_offset(log, since)
            texts.append(log.read_bytes()[offset:].decode(errors="replace"))
        return "".join(texts)

    def _site(self, state: str, app: App, database: LocalDatabase) -> Site:
        return Site(
            database=database,
            endpoints=LocalEndpoints(self._ground, state, app),
            faults=LocalFaults(self._ground, state, app),
            launcher=LocalLauncher(self._ground, app),
            capabilities=_CAPABILITIES,
            secrets=self.secrets,
        )

    def _set_switches(self, state: str, switches: Mapping[str, bool]) -> None:
        self._ground.file.update_state(state, lambda old: old.model_copy(update={"switches": dict(switches)}))

    def _known(self, state: str) -> str:
        if state not in STATES:
            raise InputError(f"There is no state {state}", hint=f"There are: {', '.join(STATES)}.")
        if state not in self._ground.record().states:
            raise StackError(f"{self.name} is not up", hint=f"Bring it up: playbook up --name {self.name}")
        return state

    def _close_pipe(self) -> None:
        if self._pipe is not None:
            os.close(self._pipe)
            self._pipe = None

    @contextmanager
    def _alone(self) -> Iterator[None]:
        with (self._ground.folder / "up.lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
