"""
Owns waiting a declared window out by a clock that moves: full before its end, open after it.
"""

from __future__ import annotations

from dataclasses import dataclass

from playbook.limits.callers import Caller
from playbook.limits.experiments import Prober
from playbook.limits.limit import Limit, Window
from playbook.limits.wire import Line
from playbook.stack.protocol import Clock

__all__ = ["kept_by_clock"]

SHY_S = 5.0
"""So long before its end a window must still be shut: true time goes on while the clock is moved."""
PAST_S = 1.0


@dataclass(frozen=True, slots=True)
class _Waiting:
    url: str
    prober: Prober
    limit: Limit
    clock: Clock

    def keeps(self, window: Window) -> bool:
        """
        Fill a window as a fresh caller, in portions that shorter windows admit; see it shut until its end, then open.
        """
        caller = self.prober.callers.fresh(self.limit)
        shorter = [one for one in self.limit.windows if one.seconds < window.seconds]
        portion = min([one.requests for one in shorter], default=window.requests)
        pause_s = max([one.seconds for one in shorter], default=0) + PAST_S if shorter else 0.0
        begun_s = self.clock.offset_s
        left = window.requests
        while left > 0:
            now = min(portion, left)
            if self.admitted(caller, now) != now:
                return False
            left -= now
            if pause_s:
                self.clock.advance(pause_s)
        if self.admitted(caller, 1):
            return False
        passed_s = self.clock.offset_s - begun_s
        if passed_s > window.seconds - SHY_S:
            return False
        self.clock.advance(window.seconds - SHY_S - passed_s)
        if self.admitted(caller, 1):
            return False
        self.clock.advance(SHY_S + PAST_S)
        return self.admitted(caller, 1) == 1

    def admitted(self, caller: Caller, times: int) -> int:
        with Line(self.url, caller.address) as line:
            return sum(self.limit.admits(line.ask(caller.request(self.limit)).status) for _ in range(times))


def kept_by_clock(url: str, prober: Prober, limit: Limit, clock: Clock) -> list[int]:
    """
    Wait each window of a limit out, by the clock of the service and its store; return the seconds of those that held.
    """
    waiting = _Waiting(url, prober, limit, clock)
    return [window.seconds for window in limit.windows if waiting.keeps(window)]
