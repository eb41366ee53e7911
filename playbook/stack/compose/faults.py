"""
Owns the faults that only containers can have: a service cut off from the others of its state.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from playbook.stack.compose.engine import Endpoint
from playbook.stack.compose.ground import ComposeGround
from playbook.stack.ensemble import Attended, Ensemble
from playbook.stack.faults import Heal, LocalFaults
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

    def _strike(self, fault: Fault, struck: Sequence[Attended], heals: list[Heal]) -> None:
        if not isinstance(fault, Partition):
            super()._strike(fault, struck, heals)
            return
        for one in struck:
            found = self._place.containers.find(one.process)
            if found is None:
                heals.append(partial(self._start, one))
            else:
                end = self._place.engine.endpoint(found.id, self._network)
                heals.append(partial(self._reconnect, one, end))
                self._place.engine.disconnect(found.id, self._network)

    def _reconnect(self, one: Attended, end: Endpoint) -> None:
        found = self._place.containers.find(one.process)
        if found is not None:
            self._place.engine.connect(found.id, self._network, end)
        self._start(one)

    @property
    def _network(self) -> str:
        return self._place.network(self._ensemble.state)
