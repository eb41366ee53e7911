"""
Owns waiting for several things at once by a clock that is moved: each says until when, and the clock goes there.
"""

from __future__ import annotations

import heapq
import time
from collections.abc import Generator, Sequence
from itertools import count
from typing import TypeVar

from playbook.stack.protocol import Clock

__all__ = ["SHY_S", "ClockTime", "Waits", "by_clock"]

Told = TypeVar("Told")
Waits = Generator[float, None, Told]
"""Yields the moments, by the moved clock, at which it wants to go on; returns what it learnt."""
SHY_S = 6.0
"""So long before its end a window must still be shut: true time goes on while the clock is moved."""


class ClockTime:
    """
    The time of a service whose clock is moved, in seconds from anywhere: true time goes on beside the moves.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def now(self) -> float:
        """
        Tell the time.
        """
        return time.monotonic() + self._clock.offset_s

    def reach(self, moment: float) -> None:
        """
        Move the clock to a moment, if that is not over.
        """
        ahead = moment - self.now()
        if ahead > 0:
            self._clock.advance(ahead)


def by_clock(clock: ClockTime, waits: Sequence[Waits[Told]]) -> list[Told]:
    """
    Let each go on at its moments, in their order; return what each learnt. A move costs a second, however far it goes.
    """
    order = count()
    learnt: dict[int, Told] = {}
    due = [(clock.now(), next(order), place) for place in range(len(waits))]
    heapq.heapify(due)
    while due:
        moment, _, place = heapq.heappop(due)
        clock.reach(moment)
        try:
            heapq.heappush(due, (next(waits[place]), next(order), place))
        except StopIteration as end:
            learnt[place] = end.value
    return [learnt[place] for place in range(len(waits))]
