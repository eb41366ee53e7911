"""
Owns the experiments on one limit: what is sent, from whom and when. What it means is `judging`'s.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

from playbook.limits.callers import Caller, Callers
from playbook.limits.declaration import Limit, Window
from playbook.limits.judging import Asked, Trace, WaitTold, too_long
from playbook.limits.wire import Answer, Line, send_volley

__all__ = ["FORWARDING", "Prober", "volley_size"]

EARLY_MARGIN_S = 0.15
LATE_MARGIN_S = 0.03
MID_S = 0.6
"""So far into a window the seconds to wait are no whole number, and rounding shows."""
MOST_ATTEMPTS = 4
EDGE = 0.85
"""Share of a window, as the epoch cuts it, after which an experiment waits for the next one."""

FORWARDING: tuple[tuple[str, str], ...] = (
    ("X-Forwarded-For", "{one}"),
    ("X-Forwarded-For", "{one}, {two}"),
    ("Forwarded", "for={one}"),
    ("X-Real-IP", "{one}"),
    ("X-Client-IP", "{one}"),
    ("True-Client-IP", "{one}"),
    ("User-Agent", "agent {one}"),
)


def volley_size(window: Window) -> int:
    """
    Say how many requests a parallel burst has: up to four times the limit, and 15 to 25 more than it.
    """
    return window.requests + min(max(3 * window.requests, 15), 25)


@dataclass(frozen=True, slots=True)
class Prober:
    """
    Asks one service: `url` as its clients do, `instances` each on its own where they are known.

    `longest_wait_s` bounds how long it waits for a window; clocks and sleep are passed in.
    """

    url: str
    callers: Callers
    instances: tuple[str, ...] = ()
    longest_wait_s: float = 75.0
    wall: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep

    @property
    def first(self) -> str:
        """One instance, so that a count is that of one process; the service's address where none is known."""
        return self.instances[0] if self.instances else self.url

    def count(self, limit: Limit) -> Trace:
        """
        Ask N + 1 times, one after another, as a fresh caller.
        """
        return self._uncut(limit, lambda: self._series(limit, (self.first,), limit.binding.requests + 1))

    def share(self, limit: Limit) -> Trace:
        """
        Ask N + 2 times as a fresh caller, each instance in turn.
        """
        return self._uncut(limit, lambda: self._series(limit, self.instances, limit.binding.requests + 2))

    def burst(self, limit: Limit) -> Trace:
        """
        Ask many times at once as a fresh caller, and once more as another.

        The first volley may find a limiter whose connections to its store are still being made one by one.
        """

        def volley() -> Trace:
            caller = self.callers.fresh(limit)
            requests = [caller.request(limit)] * volley_size(limit.binding)
            return _trace(limit, send_volley(self.first, caller.address, requests))

        return self._uncut(limit, volley, sure=2)

    def exhaust(self, limit: Limit, caller: Caller, url: str | None = None) -> Trace:
        """
        Ask until refused, at most 2 N + 5 times.
        """
        with Line(url or self.url, caller.address) as line:
            return _trace(limit, self._until_refused(limit, caller, line))

    def ask_without_store(self, limit: Limit, caller: Caller) -> list[Asked]:
        """
        Ask one instance N + 2 times; stop at the first that is not answered, the others would not be either.
        """
        seen: list[Asked] = []
        begun = time.monotonic()
        with Line(self.first, caller.address) as line:
            for _ in range(limit.binding.requests + 2):
                seen.append(_asked(limit, line.ask(caller.request(limit)), begun))
                if seen[-1].status == 0:
                    break
        return seen

    def beside(self, limit: Limit) -> tuple[Trace, Asked]:
        """
        Exhaust a fresh caller, then ask once as its neighbour.
        """
        caller = self.callers.fresh(limit)
        neighbour = self.callers.neighbour(limit, caller)
        self._off_edge(limit.binding)
        spent = self.exhaust(limit, caller)
        with Line(self.url, neighbour.address) as line:
            return spent, _asked(limit, line.ask(neighbour.request(limit)), spent.origin_s)

    def pretend(self, limit: Limit, url: str) -> tuple[Trace, dict[str, Asked]]:
        """
        Exhaust a fresh caller, then ask on as the same with each header by which one could pass for another.
        """
        caller = self.callers.fresh(limit)
        self._off_edge(limit.binding)
        spent = self.exhaust(limit, caller, url)
        seen = {}
        with Line(url, caller.address) as line:
            for name, form in FORWARDING:
                value = form.format(one=self.callers.fresh_address(), two=self.callers.fresh_address())
                answer = line.ask(caller.request(limit, {name: value}))
                seen[f"{name}: {form.format(one='a', two='b')}"] = _asked(limit, answer, spent.origin_s)
        return spent, seen

    def wait_as_told(self, limit: Limit) -> WaitTold:
        """
        Learn whether Retry-After is true: obey it, come a second early, and obey one that was told in mid-window.

        Three callers: whoever asks in between may be what keeps the window shut.
        """
        obeying, early, late = (self.callers.fresh(limit) for _ in range(3))
        self._off_edge(limit.binding)
        first = self.exhaust(limit, obeying)
        second = self.exhaust(limit, early)
        third = self.exhaust(limit, late)
        told = first.last
        if told.admitted or told.wait_s is None or told.wait_s > min(self.longest_wait_s, _longest(limit) + 1):
            return WaitTold(first, told.wait_s, window_s=_longest(limit), patience_s=self.longest_wait_s)
        begun = time.monotonic()
        mid_s = third.origin_s + MID_S
        with Line(self.url, late.address) as line:
            self._until(mid_s)
            again = _asked(limit, line.ask(late.request(limit)), third.origin_s)
        too_early = None
        early_s = second.last_answered_s + (second.last.wait_s or 0) - 1 - EARLY_MARGIN_S
        steps: list[tuple[float, str]] = [(first.last_answered_s + told.wait_s + LATE_MARGIN_S, "obeyed")]
        if early_s > begun:
            steps.append((early_s, "early"))
        mid_due = third.origin_s + again.at_s + (again.wait_s or 0) + LATE_MARGIN_S
        if not again.admitted and again.wait_s is not None and again.wait_s <= self.longest_wait_s:
            steps.append((mid_due, "mid"))
        obeyed = mid = None
        for due, name in sorted(steps):
            self._until(due)
            match name:
                case "early":
                    too_early = self._once(limit, early, second.origin_s)
                case "obeyed":
                    obeyed = self._once(limit, obeying, first.origin_s)
                case _:
                    mid = self._once(limit, late, third.origin_s)
        return WaitTold(
            first, told.wait_s, obeyed, too_early, mid, window_s=_longest(limit), patience_s=self.longest_wait_s
        )

    def _once(self, limit: Limit, caller: Caller, origin_s: float) -> Asked:
        with Line(self.url, caller.address) as line:
            return _asked(limit, line.ask(caller.request(limit)), origin_s)

    def _series(self, limit: Limit, urls: Sequence[str], times: int) -> Trace:
        caller = self.callers.fresh(limit)
        lines = [Line(url, caller.address) for url in urls]
        try:
            return _trace(limit, (lines[turn % len(lines)].ask(caller.request(limit)) for turn in range(times)))
        finally:
            for line in lines:
                line.__exit__(None, None, None)

    def _until_refused(self, limit: Limit, caller: Caller, line: Line) -> Iterator[Answer]:
        for _ in range(2 * limit.binding.requests + 5):
            answer = line.ask(caller.request(limit))
            yield answer
            if not limit.admits(answer.status):
                return

    def _uncut(self, limit: Limit, experiment: Callable[[], Trace], *, sure: int = 1) -> Trace:
        """
        Repeat an experiment, each time with a fresh caller, that took too long or admitted too many.

        The first because the machine was busy for a moment, the second because a window's edge may have cut it: two
        of three decide. `sure` of them must have admitted no more than declared before that is believed.
        """
        brief: list[Trace] = []
        slow: list[Trace] = []
        for _ in range(MOST_ATTEMPTS):
            self._off_edge(limit.binding)
            seen = experiment()
            (slow if too_long(seen, limit.binding) else brief).append(seen)
            within = [one for one in brief if one.admitted <= limit.binding.requests]
            beyond = [one for one in brief if one.admitted > limit.binding.requests]
            if len(within) > len(beyond) and len(within) >= (2 if beyond else sure):
                return within[-1]
            if len(beyond) > 1:
                return beyond[-1]
        return slow[-1] if slow else brief[-1]

    def _off_edge(self, window: Window) -> None:
        into_s = self.wall() % window.seconds
        left_s = window.seconds - into_s
        if into_s > EDGE * window.seconds and left_s < self.longest_wait_s / 4:
            self.sleep(left_s + 0.02)

    def _until(self, due_s: float) -> None:
        self.sleep(max(0.0, due_s - time.monotonic()))


def _longest(limit: Limit) -> int:
    return max(window.seconds for window in limit.windows)


def _trace(limit: Limit, answers: Iterator[Answer] | Sequence[Answer]) -> Trace:
    seen = list(answers)
    origin = min((one.answered_s for one in seen), default=0.0)
    span = max((one.answered_s for one in seen), default=0.0) - min((one.sent_s for one in seen), default=0.0)
    return Trace(tuple(_asked(limit, one, origin) for one in seen), origin, span)


def _asked(limit: Limit, answer: Answer, origin_s: float) -> Asked:
    return Asked(
        at_s=round(answer.answered_s - origin_s, 4),
        status=answer.status,
        admitted=limit.admits(answer.status),
        took_s=round(answer.answered_s - answer.sent_s, 4),
        wait=answer.headers.get("retry-after"),
        wait_s=_wait_s(answer),
        reason=answer.reason,
    )


def _wait_s(answer: Answer) -> float | None:
    """
    Read Retry-After, seconds or an HTTP date (RFC 9110, section 10.2.3), as seconds from now; None if neither.
    """
    text = answer.headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return float(text)
    try:
        due = parsedate_to_datetime(text)
        now = parsedate_to_datetime(answer.headers.get("date", ""))
        return max(0.0, (due - now).total_seconds())
    except (TypeError, ValueError):
        return None
