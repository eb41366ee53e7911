"""
Owns waiting a declared window out by a clock that moves: full before its end, open after it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from playbook.limits.callers import Caller, Callers
from playbook.limits.clock_rounds import SHY_S, ClockTime, Waits, by_clock
from playbook.limits.limit import Limit, Window
from playbook.limits.wire import Line
from playbook.stack.protocol import Clock

__all__ = ["kept_by_clock"]

PAST_S = 1.0
MARGIN_S = 0.5


@dataclass(frozen=True, slots=True)
class _Waiting:
    url: str
    callers: Callers
    limit: Limit
    clock: ClockTime

    def keeps(self, window: Window) -> Waits[bool | None]:
        """
        Fill a window as a fresh caller, in portions that shorter windows admit; see it shut until its end, then open.

        How many it admits is another question: it is asked until it refuses. Returns None where the machine was too
        slow to see it shut in time.
        """
        caller = self.callers.fresh(self.limit)
        shorter = [one for one in self.limit.windows if one.seconds < window.seconds]
        portion = min([one.requests for one in shorter], default=window.requests)
        pause_s = max([one.seconds for one in shorter], default=0) + PAST_S
        begun_s = self.clock.now()
        left = window.requests
        while left > 0:
            now = min(portion, left)
            if self.admitted(caller, now) != now:
                return False
            left -= now
            if shorter:
                yield self.clock.now() + pause_s
        if self.admitted(caller, portion + 1) > portion:
            return False
        yield begun_s + window.seconds - SHY_S
        open_early = self.admitted(caller, 1) > 0
        if self.clock.now() > begun_s + window.seconds - MARGIN_S:
            return None
        if open_early:
            return False
        yield self.clock.now() + SHY_S + PAST_S
        return self.admitted(caller, 1) == 1

    def admitted(self, caller: Caller, times: int) -> int:
        with Line(self.url, caller.address) as line:
            return sum(self.limit.admits(line.must_answer(caller.request(self.limit)).status) for _ in range(times))


def kept_by_clock(
    url: str, callers: Callers, limits: Sequence[Limit], clock: Clock
) -> dict[str, dict[int, bool | None]]:
    """
    Wait each window of each limit out, by the clock of the service and its store; say by seconds which of them held.
    """
    told = ClockTime(clock)
    windows = [(limit, window) for limit in limits for window in limit.windows]
    held = by_clock(told, [_Waiting(url, callers, limit, told).keeps(window) for limit, window in windows])
    found: dict[str, dict[int, bool | None]] = {limit.id: {} for limit in limits}
    for (limit, window), kept in zip(windows, held, strict=True):
        found[limit.id][window.seconds] = kept
    return found
