"""
Owns the experiment on Retry-After: callers that obey it, that come early, and that are told in mid-window.
"""

from __future__ import annotations

import time

from playbook.limits.answers import asked_of
from playbook.limits.callers import Caller
from playbook.limits.exhausting import doubt_of
from playbook.limits.experiments import Prober
from playbook.limits.judging import Asked, WaitTold, silence_of
from playbook.limits.limit import Limit
from playbook.limits.wire import Line

__all__ = ["wait_as_told"]

EARLY_MARGIN_S = 0.15
LATE_MARGIN_S = 0.03
MID_S = 0.6
"""So far into a window the seconds to wait are no whole number, and rounding shows."""


def wait_as_told(prober: Prober, limit: Limit) -> WaitTold:
    """
    Learn whether Retry-After is true: obey it, come a second early, and obey one that was told in mid-window.

    Three callers: whoever asks in between may be what keeps the window shut. All at one instance: whether two count
    together is another question, and one that does not would make this one's answer depend on chance. Once more where
    the machine was too busy to come early in time.
    """
    told = _wait(prober, limit)
    return _wait(prober, limit) if told.came_early_too_late else told


def _wait(prober: Prober, limit: Limit) -> WaitTold:
    longest_s = max(window.seconds for window in limit.windows)
    obeying, early, late = (prober.callers.fresh(limit) for _ in range(3))
    prober.off_edge(limit.binding)
    first = prober.exhaust(limit, obeying, prober.first)
    second = prober.exhaust(limit, early, prober.first)
    third = prober.exhaust(limit, late, prober.first)
    told = first.last
    doubt = next(filter(None, (doubt_of([one], limit.binding) for one in (first, second, third))), None)
    if doubt is not None:
        return WaitTold(first, None, doubt=doubt)
    if told.admitted or told.wait_s is None or told.wait_s > min(prober.longest_wait_s, longest_s + 1):
        return WaitTold(first, told.wait_s, window_s=longest_s, patience_s=prober.longest_wait_s)
    begun = time.monotonic()
    mid_s = third.origin_s + MID_S
    with Line(prober.first, late.address) as line:
        prober.until(mid_s)
        again = asked_of(limit, line.ask(late.request(limit)), third.origin_s)
    too_early = None
    # It was refused no sooner than it asked, and told the time to the opening rounded up to whole seconds.
    until_s = second.last.at_s - second.last.took_s + (second.last.wait_s or 0) - 1
    early_s = second.origin_s + until_s - second.last.took_s - EARLY_MARGIN_S
    steps: list[tuple[float, str]] = [(first.last_answered_s + told.wait_s + LATE_MARGIN_S, "obeyed")]
    if early_s > begun:
        steps.append((early_s, "early"))
    mid_due = third.origin_s + again.at_s + (again.wait_s or 0) + LATE_MARGIN_S
    if not again.admitted and again.wait_s is not None and again.wait_s <= prober.longest_wait_s:
        steps.append((mid_due, "mid"))
    obeyed = mid = None
    for due, name in sorted(steps):
        prober.until(due)
        match name:
            case "early":
                too_early = _once(prober, limit, early, second.origin_s)
            case "obeyed":
                obeyed = _once(prober, limit, obeying, first.origin_s)
            case _:
                mid = _once(prober, limit, late, third.origin_s)
    return WaitTold(
        first,
        told.wait_s,
        obeyed,
        too_early,
        mid,
        window_s=longest_s,
        patience_s=prober.longest_wait_s,
        early_until_s=until_s,
        doubt=silence_of(one for one in (again, obeyed, too_early, mid) if one is not None),
    )


def _once(prober: Prober, limit: Limit, caller: Caller, origin_s: float) -> Asked:
    with Line(prober.first, caller.address) as line:
        return asked_of(limit, line.ask(caller.request(limit)), origin_s)
