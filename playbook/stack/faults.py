"""
Owns the faults of a local stack: processes killed, frozen, stopped or signalled, and healed again.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial

from playbook.errors import Unavailable
from playbook.stack.ensemble import Attended, Ensemble
from playbook.stack.protocol import Fault, Kill, Partition, Pause, Restart, Signal

__all__ = ["LocalFaults"]

_KILL_LIMIT_S = 10.0
_ENDING = {signal.SIGTERM, signal.SIGINT, signal.SIGQUIT, signal.SIGKILL, signal.SIGABRT, signal.SIGHUP}


class LocalFaults:
    """
    Faults of one state, or of a throw-away copy of it, which shares its state's server.
    """

    def __init__(self, ensemble: Ensemble) -> None:
        self._ensemble = ensemble
        self._control = ensemble.ground.control

    @contextmanager
    def fault(self, fault: Fault) -> Iterator[None]:
        """
        Bring a fault about; at the end heal it, and wait until the service really answers, through the proxy too.

        Of the app, a fault without an instance is a fault of all of them. Raises Unavailable for a service, an
        instance or a fault that this backend does not have.
        """
        struck = self._ensemble.attended(fault.service, fault.instance)
        ready = self._ensemble.ready()
        heal = self._strike(fault, [one.process for one in struck])
        try:
            yield
        finally:
            self._heal_all(struck, heal)
            self._ensemble.wait_until_serving(ready)

    def _strike(self, fault: Fault, processes: Sequence[str]) -> Callable[[Attended], None]:
        match fault:
            case Kill():
                self._signal(processes, signal.SIGKILL, tree=True)
                for process in processes:
                    self._control.wait(process, _KILL_LIMIT_S)
                return self._start
            case Restart():
                for process in processes:
                    self._control.stop(process)
                return self._start
            case Pause():
                self._signal(processes, signal.SIGSTOP, tree=True)
                return self._resume
            case Signal():
                self._signal(processes, fault.number, tree=False)
                return partial(self._mend, number=fault.number)
            case Partition():
                raise Unavailable(
                    "Processes on loopback cannot be cut off from each other", hint="Run it on the Compose stack."
                )

    def _signal(self, processes: Sequence[str], number: int, *, tree: bool) -> None:
        for process in processes:
            self._control.signal(process, number, tree=tree)

    def _heal_all(self, struck: Sequence[Attended], heal: Callable[[Attended], None]) -> None:
        with ThreadPoolExecutor(len(struck)) as pool:
            for done in [pool.submit(heal, one) for one in struck]:
                done.result()

    def _start(self, one: Attended) -> None:
        if self._control.running(one.process):  # somebody else healed it already
            one.wait_until_answering()
        else:
            one.start()

    def _resume(self, one: Attended) -> None:
        if self._control.running(one.process):
            self._control.signal(one.process, signal.SIGCONT, tree=True)
            one.wait_until_answering()
        else:
            one.start()

    def _mend(self, one: Attended, *, number: int) -> None:
        if self._control.running(one.process):
            self._control.signal(one.process, signal.SIGCONT, tree=True)
            if number in _ENDING:
                self._control.stop(one.process)
        self._start(one)
