"""
Owns the Compose stack: the states as containers of one project, behind the protocol that checks know.

It differs from the local stack in its ground and its states, and has the rest from there: what holds for names,
records, switches, restarts and repair holds for containers as it does for processes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import Self

from playbook.errors import InputError, StackError
from playbook.postgres.parts import Origin
from playbook.postgres.server import Durability
from playbook.stack.capabilities import site_capabilities
from playbook.stack.clock_proof import ProvenClock
from playbook.stack.compose.apps import ComposeApp
from playbook.stack.compose.database import ComposeDatabase
from playbook.stack.compose.doors import ComposeDoors
from playbook.stack.compose.engine import Engine
from playbook.stack.compose.faults import ComposeFaults
from playbook.stack.compose.founding import found_stack
from playbook.stack.compose.ground import ComposeGround
from playbook.stack.compose.launcher import ComposeLauncher
from playbook.stack.compose.logs import ComposeLogs
from playbook.stack.compose.profiles import add_profiles
from playbook.stack.compose.scratch import scratch_site
from playbook.stack.compose.seen import ComposeContainers
from playbook.stack.compose.states import ComposeStates
from playbook.stack.compose.tools import read_fingerprint, run_tool
from playbook.stack.database import LocalDatabase
from playbook.stack.endpoints import LocalEndpoints
from playbook.stack.ensemble import Ensemble
from playbook.stack.local import LocalStack
from playbook.stack.protocol import Completed, Edit, PartVersion, Site, Weakness
from playbook.stack.record import RecordFile
from playbook.stack.registry import folder_of
from playbook.stack.rollout import LocalRollout
from playbook.stack.scratch import ScratchOrder
from playbook.stack.source import Accounts, ServiceSource
from playbook.stack.tools import process_names

__all__ = ["ComposeStack"]


class ComposeStack(LocalStack):
    """
    A stack of containers; any process of the same user can attach to it by name.
    """

    def __init__(self, ground: ComposeGround, pipe: int | None = None) -> None:
        super().__init__(ground, pipe)
        self._place = ground
        self._kept = ComposeStates(ground)
        self._states = self._kept

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
        parts: Origin = "image",
        durability: Durability = "disposable",
        root: Path | None = None,
    ) -> Self:
        """
        Begin a stack; `up` then fills it, and builds the images that are missing.

        With `owner_pipe` it lives no longer than this process. Raises InputError when the name is in use, StackError
        when no engine answers or it cannot begin.
        """
        if parts != "image":
            raise InputError(f"Containers have no parts of {parts}", hint="Their programs come with the images.")
        ground, pipe = found_stack(
            name,
            service=service,
            accounts=accounts or Accounts(),
            profile=profile,
            seed=seed,
            run_folder=run_folder,
            owner_pipe=owner_pipe,
            durability=durability,
            root=root,
        )
        return cls(ground, pipe)

    @classmethod
    def attach(cls, name: str, *, root: Path | None = None) -> Self:
        """
        Use a stack that another process began. Raises StackError when there is none of this name.
        """
        folder = folder_of(name, root)
        if RecordFile(folder).read().compose is None:
            raise StackError(f"{name} is no stack of containers", hint="See what there is: playbook ps")
        return cls(ComposeGround(folder, Engine.open()))

    def faults(self, state: str) -> ComposeFaults:
        return ComposeFaults(self._place, self._ensemble(state))

    def scratch(
        self,
        state: str,
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
            self._place,
            self._known(state),
            self._kept.database(state),
            partial(self._site, weakness=weakness),
            ScratchOrder(without, edits, instances, proxy, clock, settings or {}, weakness),
        )

    def add(
        self,
        profiles: Sequence[str],
        *,
        workers: int = 2,
        traffic: Mapping[str, object] | None = None,
        progress: Callable[[str], None] = lambda _: None,
    ) -> Mapping[str, str]:
        """
        Start what a profile of compose.yaml has, beside the states; returns where it is reached, by process.

        `workers` and `traffic` are the swarm's. Raises InputError, StackError.
        """
        return add_profiles(self._place, profiles, workers=workers, traffic=traffic or {}, say=progress)

    def tool(self, argv: Sequence[str], *, as_server: bool = False, env: Mapping[str, str] | None = None) -> Completed:
        return run_tool(self._place, argv, as_server=as_server, env=env)

    def fingerprint(self) -> Mapping[str, PartVersion]:
        return read_fingerprint(self._place, self._kept.app("found"))

    def logs(self, service: str, since: float | None = None) -> str:
        """
        Read the log of a service ("postgres", "app", …) of both states, or of one container ("found/app"). Read-only.
        """
        processes = [service] if "/" in service else process_names(self._place.record(), service)
        texts = []
        for process in processes:
            found = self._place.containers.find(process)
            if found is None:
                raise InputError(f"There is no log of {process}", hint="There are: postgres, app, found/app, …")
            texts.append(self._place.engine.logs(found.id, since=since))
        return "".join(texts)

    def _site(
        self,
        ensemble: Ensemble,
        database: LocalDatabase,
        clock: ProvenClock | None,
        weakness: Weakness | None = None,
    ) -> Site:
        first = ensemble.apps[0]
        assert isinstance(first, ComposeApp)
        assert isinstance(database, ComposeDatabase)
        return Site(
            database=database,
            endpoints=LocalEndpoints(ensemble),
            faults=ComposeFaults(self._place, ensemble),
            launcher=ComposeLauncher(self._place, first),
            capabilities=site_capabilities(self._place.record(), ensemble, clocked=clock is not None),
            secrets=self.secrets,
            store=ensemble.store,
            clock=clock,
            rollout=LocalRollout(ensemble),
            logs=ComposeLogs(self._place, ensemble),
            containers=ComposeContainers(self._place, ensemble, weakness),
            doors=ComposeDoors(self._place),
        )
