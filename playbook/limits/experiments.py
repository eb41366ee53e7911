"""
Owns the experiments on one limit: what is sent, from whom and when. What it means is `judging`'s.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from playbook.limits.answers import asked_of, trace_of
from playbook.limits.callers import Caller, Callers
from playbook.limits.declaration import Limit, Window
from playbook.limits.judging import Asked, Trace, too_long
from playbook.limits.wire import Answer, Line, send_volley

__all__ = ["FORWARDING", "VOLLEYS", "VOLLEYS_MOST", "Prober", "volley_size"]

MOST_ATTEMPTS = 5
VOLLEYS, VOLLEYS_MOST = 4, 10
EDGE = 0.15
EDGE_MOST_S = 1.0
"""Where less than both is left of a window, as the epoch cuts it, an experiment waits for the next one."""

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
        Ask many times at once as a fresh caller, and again as others.

        The first volley may find a limiter whose connections to its store are still being made one by one, and on a
        busy machine one may arrive so slowly that no two of its requests meet.
        """

        def volley() -> Trace:
            caller = self.callers.fresh(limit)
            requests = [caller.request(limit)] * volley_size(limit.binding)
            return trace_of(limit, send_volley(self.first, caller.address, requests))

        return self._uncut(limit, volley, sure=VOLLEYS, most=VOLLEYS_MOST)

    def exhaust(self, limit: Limit, caller: Caller, url: str | None = None) -> Trace:
        """
        Ask until refused, at most 2 N + 5 times.
        """
        with Line(url or self.url, caller.address) as line:
            return trace_of(limit, self._until_refused(limit, caller, line))

    def ask_without_store(self, limit: Limit, caller: Caller) -> list[Asked]:
        """
        Ask one instance N + 2 times; stop at the first that is not answered, the others would not be either.
        """
        seen: list[Asked] = []
        begun = time.monotonic()
        with Line(self.first, caller.address) as line:
            for _ in range(limit.binding.requests + 2):
                seen.append(asked_of(limit, line.ask(caller.request(limit)), begun))
                if seen[-1].status == 0:
                    break
        return seen

    def beside(self, limit: Limit) -> tuple[Trace, dict[str, Asked]]:
        """
        Exhaust a fresh caller, then ask once as its neighbour in each part of the key.
        """
        caller = self.callers.fresh(limit)
        neighbours = self.callers.neighbours(limit, caller)
        self.off_edge(limit.binding)
        spent = self.exhaust(limit, caller)
        seen = {}
        for part, neighbour in neighbours.items():
            with Line(self.url, neighbour.address) as line:
                seen[part] = asked_of(limit, line.ask(neighbour.request(limit)), spent.origin_s)
        return spent, seen

    def pretend(self, limit: Limit, url: str) -> tuple[list[Trace], dict[str, Asked]]:
        """
        Exhaust a fresh caller, then ask on as the same with each header by which one could pass for another.

        It is exhausted at every instance first: one that counts for itself must not be taken for one that was dodged.
        """
        caller = self.callers.fresh(limit)
        self.off_edge(limit.binding)
        others = [instance for instance in self.instances if instance != url]
        spent = [self.exhaust(limit, caller, one) for one in (*others, url)]
        seen = {}
        with Line(url, caller.address) as line:
            for name, form in FORWARDING:
                value = form.format(one=self.callers.fresh_address(), two=self.callers.fresh_address())
                answer = line.ask(caller.request(limit, {name: value}))
                seen[f"{name}: {form.format(one='a', two='b')}"] = asked_of(limit, answer, spent[-1].origin_s)
        return spent, seen

    def _series(self, limit: Limit, urls: Sequence[str], times: int) -> Trace:
        caller = self.callers.fresh(limit)
        lines = [Line(url, caller.address) for url in urls]
        try:
            return trace_of(limit, (lines[turn % len(lines)].ask(caller.request(limit)) for turn in range(times)))
        finally:
            for line in lines:
                line.__exit__(None, None, None)

    def _until_refused(self, limit: Limit, caller: Caller, line: Line) -> Iterator[Answer]:
        for _ in range(2 * limit.binding.requests + 5):
            answer = line.ask(caller.request(limit))
            # A proxy may close a kept line between two requests; asked again, the caller is only spent sooner.
            if answer.status == 0:
                answer = line.ask(caller.request(limit))
            yield answer
            if not limit.admits(answer.status):
                return

    def _uncut(
        self, limit: Limit, experiment: Callable[[], Trace], *, sure: int = 1, most: int = MOST_ATTEMPTS
    ) -> Trace:
        """
        Repeat an experiment, each time with a fresh caller, that took too long or admitted too many; at most `most`.

        The first because the machine was busy for a moment, the second because a window's edge may have cut it: two
        that admitted too many are believed. That no more than declared are admitted is believed of `sure` experiments,
        and of twice as many where one admitted too many.
        """
        brief: list[Trace] = []
        slow: list[Trace] = []
        for _ in range(most):
            self.off_edge(limit.binding)
            seen = experiment()
            (slow if too_long(seen, limit.binding) else brief).append(seen)
            within = [one for one in brief if one.admitted <= limit.binding.requests]
            beyond = [one for one in brief if one.admitted > limit.binding.requests]
            if len(beyond) > 1:
                return beyond[-1]
            if len(within) >= (2 * sure if beyond else sure):
                return within[-1]
        return slow[-1] if slow else brief[-1]

    def off_edge(self, window: Window) -> None:
        """
        Wait for the next window, as the epoch cuts it, when this one is nearly over.
        """
        left_s = window.seconds - self.wall() % window.seconds
        if left_s < min(EDGE * window.seconds, EDGE_MOST_S):
            self.sleep(left_s + 0.02)

    def until(self, due_s: float) -> None:
        self.sleep(max(0.0, due_s - time.monotonic()))
