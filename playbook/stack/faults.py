"""
Owns the faults of a local stack: processes killed, frozen, stopped or signalled, and healed again.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from playbook.errors import Unavailable
from playbook.stack.apps import App
from playbook.stack.ground import Ground
from playbook.stack.protocol import Fault, Kill, Partition, Pause, Restart, Signal
from playbook.stack.servers import Servers, process_name

__all__ = ["LocalFaults"]

_KILL_LIMIT_S = 10.0
_ENDING = {signal.SIGTERM, signal.SIGINT, signal.SIGQUIT, signal.SIGKILL, signal.SIGABRT, signal.SIGHUP}


class LocalFaults:
    """
    Faults of one state, or of a throw-away copy of it, which shares its state's server.
    """

    def __init__(self, ground: Ground, state: str, app: App) -> None:
        self._ground = ground
        self._state = state
        self._servers = Servers(ground)
        self._app = app

    @contextmanager
    def fault(self, fault: Fault) -> Iterator[None]:
        """
        Bring a fault about; at the end heal it, and wait until the service really answers.

        Raises Unavailable for a service, an instance or a fault that this backend does not have.
        """
        process = self._process(fault)
        control = self._ground.control
        heal: Callable[[], None]
        match fault:
            case Kill():
                heal = self._start(fault.service)
                control.signal(process, signal.SIGKILL, tree=True)
                control.wait(process, _KILL_LIMIT_S)
            case Restart():
                heal = self._start(fault.service)
                control.stop(process)
            case Pause():
                heal = self._resume(fault.service, process)
                control.signal(process, signal.SIGSTOP, tree=True)
            case Signal():
                heal = self._mend(fault, process)
                control.signal(process, fault.number)
            case Partition():
                raise Unavailable(
                    "Processes on loopback cannot be cut off from each other", hint="Run it on the Compose stack."
                )
        try:
            yield
        finally:
            heal()

    def _process(self, fault: Fault) -> str:
        if fault.instance not in (None, 0):
            raise Unavailable(f"There is one instance of {fault.service}", hint="Ask for two_instances first.")
        match fault.service:
            case "postgres":
                return process_name(self._state)
            case "app":
                return self._app.process
        raise Unavailable(f"This stack has no service {fault.service}", hint="It has: postgres, app.")

    def _start(self, service: str) -> Callable[[], None]:
        return self._app.start if service == "app" else lambda: self._servers.start(self._state)

    def _answer(self, service: str) -> None:
        if service == "app":
            self._app.wait_until_answering()
        else:
            self._servers.wait_until_answering(self._state)

    def _resume(self, service: str, process: str) -> Callable[[], None]:
        def heal() -> None:
            if self._ground.control.running(process):
                self._ground.control.signal(process, signal.SIGCONT, tree=True)
                self._answer(service)
            else:
                self._start(service)()

        return heal

    def _mend(self, fault: Signal, process: str) -> Callable[[], None]:
        def heal() -> None:
            control = self._ground.control
            if control.running(process):
                control.signal(process, signal.SIGCONT, tree=True)
                if fault.number in _ENDING:
                    control.stop(process)
            if control.running(process):
                self._answer(fault.service)
            else:
                self._start(fault.service)()

        return heal
