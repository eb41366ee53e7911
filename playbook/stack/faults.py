"""
Owns the faults of a local stack: processes killed, frozen, stopped or signalled, and healed again.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial

from playbook.errors import PlaybookError, Unavailable
from playbook.stack.ensemble import Attended, Ensemble
from playbook.stack.protocol import Fault, Kill, Partition, Pause, Restart, Signal

__all__ = ["Heal", "LocalFaults"]

Heal = Callable[[], None]

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
        heals: list[Heal] = []
        try:
            self._strike(fault, struck, heals)
            yield
        finally:
            if heals:
                self._heal_all(heals, ready)

    def _strike(self, fault: Fault, struck: Sequence[Attended], heals: list[Heal]) -> None:
        """
        Strike each process, having noted how to heal it.
        """
        match fault:
            case Kill():
                self._each(struck, heals, self._start, self._signal(signal.SIGKILL, tree=True))
                for one in struck:
                    self._control.wait(one.process, _KILL_LIMIT_S)
            case Restart():
                self._each(struck, heals, self._start, self._control.stop)
            case Pause():
                self._each(struck, heals, self._resume, self._signal(signal.SIGSTOP, tree=True))
            case Signal():
                mend = partial(self._mend, number=fault.number)
                self._each(struck, heals, mend, self._signal(fault.number, tree=False))
            case Partition():
                raise Unavailable(
                    "Processes on loopback cannot be cut off from each other", hint="Run it on the Compose stack."
                )

    @staticmethod
    def _each(
        struck: Sequence[Attended],
        heals: list[Heal],
        heal: Callable[[Attended], None],
        act: Callable[[str], object],
    ) -> None:
        for one in struck:
            heals.append(partial(heal, one))  # before: what fails may have been done all the same
            act(one.process)

    def _signal(self, number: int, *, tree: bool) -> Callable[[str], None]:
        return partial(self._control.signal, number=number, tree=tree)

    def _heal_all(self, heals: Sequence[Heal], ready: frozenset[int]) -> None:
        """
        Heal everything, also what comes after something that cannot be healed; then raise the first error.
        """
        with ThreadPoolExecutor(len(heals)) as pool:
            ends = [pool.submit(heal) for heal in heals]
        errors = [error for end in ends if (error := end.exception()) is not None]
        try:
            self._ensemble.start_ended(ready)
        except PlaybookError as error:
            errors.append(error)
        if errors:
            raise errors[0]
        self._ensemble.wait_until_serving(ready)

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
