"""
Owns the local stack: PostgreSQL servers and apps as processes on loopback, behind the protocol that checks know.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Self

import psycopg

from playbook.errors import InputError, StackError
from playbook.postgres.parts import Origin
from playbook.postgres.server import Durability
from playbook.stack.capabilities import read_capabilities, site_capabilities
from playbook.stack.clock_proof import ProvenClock
from playbook.stack.database import LocalDatabase
from playbook.stack.endpoints import SERVICES, LocalEndpoints
from playbook.stack.ensemble import Ensemble
from playbook.stack.faults import LocalFaults
from playbook.stack.founding import found_stack
from playbook.stack.ground import Ground
from playbook.stack.launcher import LocalLauncher
from playbook.stack.logs import LocalLogs
from playbook.stack.mend import destroy
from playbook.stack.protocol import (
    Capability,
    Completed,
    Edit,
    InstanceRestart,
    Leftovers,
    PartVersion,
    RestartForm,
    Server,
    Site,
    State,
    Weakness,
)
from playbook.stack.registry import folder_of
from playbook.stack.rollout import LocalRollout, come_home, renew_app
from playbook.stack.scratch import ScratchOrder, scratch_site
from playbook.stack.source import Accounts, ServiceSource
from playbook.stack.spare import SpareServer, spare_server
from playbook.stack.states import STATES, States
from playbook.stack.supervisor import FAREWELL
from playbook.stack.tools import process_names, read_fingerprint, run_tool

__all__ = ["LocalStack"]


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
    ) -> Self:
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
    def attach(cls, name: str, *, root: Path | None = None) -> Self:
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
        return read_capabilities(self._ground.record())

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
        Let the stack outlive this process. Raises StackError when its supervisor is gone.
        """
        if self._pipe is not None:
            try:
                os.write(self._pipe, FAREWELL)
            except BrokenPipeError as error:
                raise StackError(
                    f"The supervisor of {self.name} is gone: nobody keeps what it started",
                    hint=f"Clear up, then start afresh: playbook down {self.name}",
                ) from error
            self._ground.file.update(lambda old: old.model_copy(update={"owner_pipe": False}))
            self._close_pipe()

    def database(self, state: State) -> LocalDatabase:
        return self._states.database(self._known(state))

    def endpoints(self, state: State) -> LocalEndpoints:
        return LocalEndpoints(self._ensemble(state))

    def faults(self, state: State) -> LocalFaults:
        return LocalFaults(self._ensemble(state))

    def site(self, state: State) -> Site:
        """
        The views above in one value.
        """
        return self._site(self._ensemble(state), self._states.database(state), None)

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
        Make a throw-away copy of a state; it shares the state's server, and so its roles and faults of "postgres".
        """
        return scratch_site(
            self._ground,
            self._known(state),
            self._states.database(state),
            self._site,
            ScratchOrder(without, edits, instances, proxy, clock, settings or {}, weakness),
        )

    def configure(self, state: State, switches: Mapping[str, bool]) -> None:
        """
        Set switches of the state's app and restart it, one instance after another; returns once it says that they are.

        When it does not come up with them, the old ones are put back and StackError is raised.
        """
        record = self._ground.record()
        record.service.checked(tuple(switches))
        old = record.states[self._known(state)].switches
        renew_app(self._ground, self._ensemble(state), {"switches": {**old, **switches}})
        self._states.serve_app(state)

    def rolling_restart(self, state: State, form: RestartForm = "graceful") -> tuple[InstanceRestart, ...]:
        """
        Restart the state's instances one after another.
        """
        return LocalRollout(self._ensemble(state)).restart(form)

    def switches(self, state: State) -> Mapping[str, bool]:
        """
        The switches as they are now.
        """
        return dict(self._ground.record().states[self._known(state)].switches)

    def spare_postgres(self, *, like: State = "hardened", empty: bool = True) -> AbstractContextManager[SpareServer]:
        """
        Lend a second server of the same parts; `empty`: with a new data directory, running; else without data.
        """
        return spare_server(self._ground, self._states.servers, like=self._known(like), empty=empty)

    @contextmanager
    def serve_from(self, state: State, server: Server, database: str | None = None) -> Iterator[None]:
        """
        Let the state's app use a database on a spare server instead; at the end it uses its own again.

        If its own does not run by then, the app is stopped, and starts when its own server is healed or at `up`. Raises
        StackError when it does not get ready with the spare one.
        """
        name = database or self._ground.record().accounts.database
        ensemble = self._ensemble(state)
        renew_app(self._ground, ensemble, {"served_from": (server.name, name)}, all_at_once=True)
        try:
            yield
        finally:
            come_home(self._ground, ensemble)

    def configure_postgres(self, state: State, settings: Mapping[str, str | None]) -> None:
        """
        Set settings of the state's server (None: as they were made), restarting it when one of them needs that.
        """
        ensemble = self._ensemble(state)
        ready = ensemble.ready()
        servers = self._states.servers
        if servers.configure(state, settings):
            servers.stop(state)
            for server in ensemble.attended("postgres", None):
                server.start()
            ensemble.wait_until_serving(ready)

    @contextmanager
    def archiving(self, state: State) -> Iterator[Path]:
        """
        Keep the state's write-ahead log, segment by segment, in the folder that is given; what is kept stays there.
        """
        folder = self._states.servers.archive(self._known(state))
        switch = folder / "on"
        switch.touch()
        try:
            yield folder
        finally:
            switch.unlink(missing_ok=True)

    def data_directory(self, state: State) -> Path:
        """
        Where the state's server keeps its data.
        """
        return self._ground.data(self._known(state))

    @property
    def repository(self) -> Path:
        """
        A folder for backups; the servers' account can read and write it, and nobody else.
        """
        return self._states.servers.repository()

    def tool(self, argv: Sequence[str], *, as_server: bool = False, env: Mapping[str, str] | None = None) -> Completed:
        return run_tool(self._ground, argv, as_server=as_server, env=env)

    def fingerprint(self) -> Mapping[str, PartVersion]:
        return read_fingerprint(self._ground, self._states.app("found"))

    def logs(self, service: str, since: float | None = None) -> str:
        """
        Read the log of a service ("postgres", "app", …) of both states, or of one process like "found/app". Read-only.

        `since`: seconds of the wall clock; up to half a second before it may be shown too.
        """
        processes = [service] if "/" in service else process_names(self._ground.record(), service)
        texts = []
        for process in processes:
            log = self._ground.log(process)
            if not log.is_file():
                raise InputError(f"There is no log of {process}", hint="There are: postgres, app, found/app, …")
            offset = 0 if since is None else self._ground.control.log_offset(log, since)
            texts.append(log.read_bytes()[offset:].decode(errors="replace"))
        return "".join(texts)

    def _ensemble(self, state: str) -> Ensemble:
        return self._states.ensemble(self._known(state))

    def _site(self, ensemble: Ensemble, database: LocalDatabase, clock: ProvenClock | None) -> Site:
        return Site(
            database=database,
            endpoints=LocalEndpoints(ensemble),
            faults=LocalFaults(ensemble),
            launcher=LocalLauncher(self._ground, ensemble.apps[0]),
            capabilities=site_capabilities(self._ground.record(), ensemble, clocked=clock is not None),
            secrets=self.secrets,
            store=ensemble.store,
            clock=clock,
            rollout=LocalRollout(ensemble),
            logs=LocalLogs(self._ground, ensemble),
        )

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
