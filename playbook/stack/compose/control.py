"""
Owns stopping, signalling and watching the containers of one stack, by the names that processes have elsewhere.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NoReturn

from playbook.errors import StackError
from playbook.stack.children import Order
from playbook.stack.compose.engine import Container, Engine
from playbook.stack.control import POSTGRES_LADDER, Control, ProcessState

__all__ = ["ContainerControl"]

_LADDERS: Mapping[str, Sequence[tuple[int, float]]] = {
    "postgres": POSTGRES_LADDER,
    "proxy": ((signal.SIGUSR1, 0.5), (signal.SIGTERM, 2.0)),
    "app": ((signal.SIGTERM, 10.0),),
}
_LADDER: Sequence[tuple[int, float]] = ((signal.SIGTERM, 3.0),)
_POLL_S = 0.03
_GONE_LIMIT_S = 10.0
_BY_SIGNAL = 128


class ContainerControl(Control):
    """
    What a stack's supervisor does for processes, done by the engine; the supervisor itself still takes it down.
    """

    def __init__(self, folder: Path, engine: Engine, identity: Callable[[], str]) -> None:
        super().__init__(folder)
        self._engine = engine
        self._identity = identity

    def find(self, name: str) -> Container | None:
        """
        Find a process's container. Read-only.
        """
        return self._engine.container(self._identity(), name)

    def running(self, name: str) -> bool:
        """
        Say whether a process runs. Read-only.
        """
        found = self.find(name)
        return found is not None and found.running

    def processes(self) -> Mapping[str, ProcessState]:
        """
        List all processes that were started. Read-only.
        """
        return {one.process: self._state(one.id) for one in self._engine.containers(self._identity())}

    def signal(self, name: str, number: int, *, tree: bool = False) -> None:
        """
        Signal a container's first process. SIGSTOP and SIGCONT, and SIGKILL, always concern all that run in it.
        """
        del tree
        found = self._required(name)
        if number == signal.SIGSTOP:
            self._engine.freeze(found.id)
        elif number == signal.SIGCONT:
            self._thaw(found)
        else:
            self._engine.signal(found.id, number)

    def stop(self, name: str, *, ladder: Sequence[tuple[int, float]] | None = None) -> ProcessState:
        """
        Stop a container by ever harder signals; returns when it has ended. The engine will not start it again.
        """
        found = self._required(name)
        for number, limit_s in ladder or _LADDERS.get(name.rpartition("/")[2].split("-")[0], _LADDER):
            if not found.running:
                break
            self._engine.signal(found.id, number)
            self._thaw(found)
            if self._ended(found.id, limit_s):
                break
        self.end(found)
        return self._state(found.id)

    def end(self, found: Container) -> None:
        """
        End a container at once, also one that the engine starts over and over.
        """
        now = self.find(found.process)
        if now is not None and now.state in {"running", "paused", "restarting"}:
            self._engine.halt(now.id)
            if not self._ended(now.id, _GONE_LIMIT_S):
                raise StackError(f"{found.process} does not end", hint="Is the engine healthy?")

    def wait(self, name: str, limit_s: float) -> ProcessState:
        """
        Wait for a container to end, at most `limit_s`.
        """
        found = self._required(name)
        self._ended(found.id, limit_s)
        return self._state(found.id)

    def spawn(self, order: Order) -> NoReturn:
        """
        Refuse: here nothing runs outside of a container. Raises StackError.
        """
        raise StackError(f"{order.name} is no container", hint="This is a fault of the playbook: report it.")

    def _required(self, name: str) -> Container:
        found = self.find(name)
        if found is None:
            raise StackError(f"There is no container of {name}", hint="Start afresh: playbook down, playbook up.")
        return found

    def _thaw(self, found: Container) -> None:
        if found.state == "paused":
            self._engine.thaw(found.id)

    def _ended(self, container: str, limit_s: float) -> bool:
        end = time.monotonic() + limit_s
        while self._engine.inspect(container)["State"]["Status"] in {"running", "paused", "restarting"}:
            if time.monotonic() > end:
                return False
            time.sleep(_POLL_S)
        return True

    def _state(self, container: str) -> ProcessState:
        state = self._engine.inspect(container)["State"]
        runs = state["Status"] in {"running", "paused"}
        code = int(state["ExitCode"])
        return ProcessState(
            int(state["Pid"]),
            str(state["StartedAt"]),
            runs,
            None if runs else _BY_SIGNAL - code if code > _BY_SIGNAL else code,
        )
