"""
Owns trying whole files of limits as they are declared: each limit filled, looked up in the store, and waited out.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import redis

from playbook.limits.answers import trace_of
from playbook.limits.callers import Caller, Callers
from playbook.limits.clock_rounds import SHY_S, ClockTime, Waits
from playbook.limits.counters import kept_windows, read_lives
from playbook.limits.declaration import Declaration, read_declaration
from playbook.limits.judging import TOO_MANY, Trace, too_long
from playbook.limits.limit import Limit
from playbook.limits.wire import Line, Request

__all__ = ["Enforced", "PlanFile", "fill", "filled_and_waited", "read_plans"]

ATTEMPTS = 10
"""A window of a second is full of eleven requests within a tenth of it only while the machine is not busy."""


@dataclass(frozen=True, slots=True)
class PlanFile:
    """
    One file, by its name.
    """

    name: str
    path: Path
    declaration: Declaration

    def subject(self, limit: Limit) -> str:
        """
        Name one of its limits among those of all files.
        """
        return f"{self.name} {limit.id}"


@dataclass(slots=True)
class Enforced:
    """
    What one limit of a file did to a fresh caller; `waited` is None where no clock could be moved.

    `shut` are exempt paths that the caller, with nothing left, was refused all the same.
    """

    limit: Limit
    url: str
    caller: Caller
    trace: Trace
    kept_s: Sequence[int]
    lives_ms: Sequence[int]
    shut: Sequence[str]
    begun_s: float = field(default_factory=time.monotonic)
    waited: str | None = None


def read_plans(files: Sequence[Path]) -> list[PlanFile]:
    """
    Read the files. Read-only.
    """
    return [PlanFile(one.stem, one, read_declaration(one)) for one in files]


def fill(url: str, limit: Limit, callers: Callers, store: redis.Redis, *, exempt: Sequence[str]) -> Enforced:
    """
    Ask N + 1 times as a fresh caller, then what is exempt; as another where it took too long for one window.
    """
    for _ in range(ATTEMPTS):
        caller = callers.fresh(limit)
        before = read_lives(store)
        begun = time.monotonic()
        with Line(url, caller.address) as line:
            trace = trace_of(limit, [line.ask(caller.request(limit)) for _ in range(limit.binding.requests + 1)])
            headers = caller.request(limit).headers
            shut = [path for path in exempt if line.must_answer(Request("GET", path, headers)).status == TOO_MANY]
        kept, lives = kept_windows(before, read_lives(store), limit.windows)
        seen = Enforced(limit, url, caller, trace, kept, lives, shut, begun)
        if not too_long(trace, limit.binding):
            break
    return seen


def filled_and_waited(
    url: str, limit: Limit, callers: Callers, store: redis.Redis, *, exempt: Sequence[str], clock: ClockTime
) -> Waits[Enforced]:
    """
    Fill a limit, then see the window that was filled shut until just before its end, and open after it.
    """
    window_s = limit.binding.seconds
    seen = fill(url, limit, callers, store, exempt=exempt)
    begun_s = clock.now() - (time.monotonic() - seen.begun_s)
    if window_s > 2 * SHY_S:
        yield begun_s + window_s - SHY_S
        open_early = _admitted(seen)
        if clock.now() > begun_s + window_s:
            seen.waited = "not asked in time"
        elif open_early:
            seen.waited = "open too early"
    yield max(begun_s + window_s, clock.now()) + SHY_S
    seen.waited = seen.waited or ("open when told" if _admitted(seen) else "shut too long")
    return seen


def _admitted(one: Enforced) -> bool:
    with Line(one.url, one.caller.address) as line:
        return one.limit.admits(line.must_answer(one.caller.request(one.limit)).status)
