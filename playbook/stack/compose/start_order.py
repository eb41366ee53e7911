"""
Owns starting a state of compose.yaml once more, with one service held up, to see who waits for it.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from playbook.errors import StackError
from playbook.stack.compose.ground import ComposeGround
from playbook.stack.compose.project import Project
from playbook.stack.compose.tools import execute
from playbook.stack.protocol import Begun

__all__ = ["GO_ON", "HANG", "StartOrder", "keep_ports"]

HANG = ("bash", "-c", "kill -STOP -1")
"""Stops all processes of the service; the container's first one goes on."""
GO_ON = ("bash", "-c", "kill -CONT -1")

_LAST_FIRST = ("proxy", "app", "pooler", "redis", "postgres")
_STARTED_WITHIN_S = 30.0
_POLL_S = 0.05
# Only the pooler is let go. The instances wait for it alone, and it may be healthy a moment before the server's own
# probe says so of the server: they are told to wait for both, or it were chance whether they came too early with it.
_WEAK: Mapping[str, Mapping[str, str]] = {
    "pooler": {"postgres": "service_started"},
    "app": {"postgres": "service_healthy"},
    "app-1": {"postgres": "service_healthy"},
}


def keep_ports(ground: ComposeGround, states: Sequence[str]) -> None:
    """
    Note where the services of these states are published now: the engine chooses anew at each start.
    """
    for one in ground.engine.containers(ground.record().id):
        state, _, service = one.process.partition("/")
        if state in states and one.ports:
            ground.file.keep_port(state, service, next(iter(one.ports.values())))


class StartOrder:
    """
    How the services of one state start, by its description. `weak`: by one in which the pooler does not wait.
    """

    def __init__(self, ground: ComposeGround, state: str, *, weak: bool = False) -> None:
        self._ground = ground
        self._state = state
        self._weak = weak

    def services(self) -> Sequence[str]:
        """
        List those of the state that compose.yaml describes. Read-only.
        """
        found = self._ground.engine.containers(self._ground.record().id)
        names = [one.process.removeprefix(f"{self._state}/") for one in found if self._own(one.process)]
        return sorted(names)

    def waits(self) -> bool:
        """
        Say whether, by the description, everyone waits for the health of those that it needs. Read-only.
        """
        with self._files() as files:
            described = json.loads(Project(self._ground).described(files))
        needs = [one.get("depends_on") or {} for one in described["services"].values()]
        return all(one["condition"] == "service_healthy" for each in needs for one in each.values())

    def start_held(self, service: str, hold_s: float) -> Mapping[str, Begun]:
        """
        Stop the state, start it again as `playbook up` does, and let one service hang for a while as soon as it runs.

        Returns when everything is healthy. Raises StackError when that does not come.
        """
        names = self.services()
        words = [f"{self._state}-{name}" for name in names]
        self._stop(names)
        try:
            with ThreadPoolExecutor(1) as beside, self._files() as files:
                starting = beside.submit(Project(self._ground).up, words, also=files)
                self._hold(service, hold_s, starting)
                healthy = self._watch(names, starting)
        finally:
            Project(self._ground).up(words)  # nothing, when all is well
            keep_ports(self._ground, (self._state,))
        return {name: self._begun(name, healthy.get(name)) for name in names}

    def _stop(self, names: Sequence[str]) -> None:
        ordered = sorted(names, key=lambda name: _LAST_FIRST.index(name.split("-")[0]))
        for name in ordered:
            self._ground.containers.stop(f"{self._state}/{name}")

    def _hold(self, service: str, hold_s: float, starting: Future[None]) -> None:
        end = time.monotonic() + _STARTED_WITHIN_S
        process = f"{self._state}/{service}"
        while (found := self._ground.containers.find(process)) is None or found.state != "running":
            if time.monotonic() > end or starting.done():
                raise StackError(f"{process} was not started", hint="See its log.")
            time.sleep(_POLL_S)
        # Not by freezing the container: the engine calls that unhealthy, and Compose gives up. Twice, for the first may
        # come before the service's own process.
        try:
            for _ in range(2):
                execute(self._ground, process, HANG)
                time.sleep(hold_s / 2)
        finally:
            execute(self._ground, process, GO_ON)

    def _watch(self, names: Sequence[str], starting: Future[None]) -> Mapping[str, datetime]:
        """
        Note when each became healthy, as soon as it is so: the engine remembers five probes only.
        """
        healthy: dict[str, datetime] = {}
        while True:
            over = starting.done()
            for name in set(names) - set(healthy):
                at = _healthy_at(self._inspect(name))
                if at is not None:
                    healthy[name] = at
            if over:
                starting.result()
                return healthy
            time.sleep(_POLL_S)

    def _begun(self, name: str, healthy: datetime | None) -> Begun:
        state = self._inspect(name)
        return Begun(datetime.fromisoformat(state["StartedAt"]), healthy, str(state["Health"]["Status"]))

    def _inspect(self, name: str) -> Mapping[str, Any]:
        found = self._ground.containers.find(f"{self._state}/{name}")
        if found is None:
            raise StackError(f"There is no container of {self._state}/{name}", hint="See playbook ps.")
        state: Mapping[str, Any] = self._ground.engine.inspect(found.id)["State"]
        return state

    def _own(self, process: str) -> bool:
        state, _, name = process.partition("/")
        return state == self._state and name.split("-")[0] in _LAST_FIRST

    @contextmanager
    def _files(self) -> Iterator[Sequence[Path]]:
        if not self._weak:
            yield ()
            return
        services = {
            f"{self._state}-{name}": {
                "depends_on": {f"{self._state}-{needed}": {"condition": how} for needed, how in needs.items()}
            }
            for name, needs in _WEAK.items()
        }
        with tempfile.NamedTemporaryFile("w", suffix=".json", dir=self._ground.folder) as file:
            json.dump({"services": services}, file)
            file.flush()
            yield (Path(file.name),)


def _healthy_at(state: Mapping[str, Any]) -> datetime | None:
    """
    Say when the first probe of the present run passed; probes of earlier runs stand in the same list.
    """
    if state["Status"] != "running" or state["Health"]["Status"] != "healthy":
        return None
    began = datetime.fromisoformat(state["StartedAt"])
    passed = [one for one in state["Health"]["Log"] or () if one["ExitCode"] == 0]
    times = [datetime.fromisoformat(one["End"]) for one in passed if datetime.fromisoformat(one["Start"]) > began]
    return min(times, default=None)
