"""
Owns the faults that only containers can have: a service cut off from the others of its state.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from playbook.stack.compose.engine import Endpoint
from playbook.stack.compose.ground import ComposeGround
from playbook.stack.ensemble import Attended, Ensemble
from playbook.stack.faults import LocalFaults
from playbook.stack.protocol import Fault, Partition

__all__ = ["ComposeFaults"]


class ComposeFaults(LocalFaults):
    """
    Faults of one state, or of a throw-away copy of it.

    Who is cut off runs on, and is still reached from this machine, but not by the other services of its state.
    """

    def __init__(self, ground: ComposeGround, ensemble: Ensemble) -> None:
        super().__init__(ensemble)
        self._place = ground

    def _strike(self, fault: Fault, processes: Sequence[str]) -> Callable[[Attended], None]:
        if not isinstance(fault, Partition):
            return super()._strike(fault, processes)
        ends = {process: self._cut_off(process) for process in processes}
        return partial(self._reconnect, ends=ends)

    def _cut_off(self, process: str) -> Endpoint | None:
        found = self._place.containers.find(process)
        return None if found is None else self._place.engine.disconnect(found.id, self._network)

    def _reconnect(self, one: Attended, *, ends: Mapping[str, Endpoint | None]) -> None:
        found = self._place.containers.find(one.process)
        end = ends[one.process]
        if found is not None and end is not None:
            self._place.engine.connect(found.id, self._network, end)
        self._start(one)

    @property
    def _network(self) -> str:
        return self._place.network(self._ensemble.state)
