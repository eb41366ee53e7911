# ruff: noqa: INP001 (a folder that no package may import)
"""
Owns the arrivals: requests sent at their intended times, whatever the answers before them do.

Locust runs this file in a process of its own; nothing of the playbook imports it, and it imports nothing of the
playbook. It reads a plan and writes a result, both JSON files; their forms are in `playbook.load.plan` and
`playbook.load.result`.
"""

from __future__ import annotations

import http.client
import json
import os
import random
import re
import time
from bisect import bisect
from collections import Counter
from collections.abc import Callable
from itertools import accumulate
from pathlib import Path
from typing import Any

import gevent  # type: ignore[import-untyped]
from gevent.pool import Pool  # type: ignore[import-untyped]
from hdrh.histogram import HdrHistogram
from locust import User, task

PLAN = json.loads(Path(os.environ["PLAYBOOK_LOAD_PLAN"]).read_text(encoding="utf-8"))
RESULT = Path(os.environ["PLAYBOOK_LOAD_RESULT"])
BEGUN = RESULT.with_suffix(".begun")
STOP = RESULT.with_suffix(".stop")
LONGEST_US = 600_000_000
BIN_S = 0.1
IDLE_MOST_S = 2.0
"""So long a connection may be idle; uvicorn closes one that was idle for 5 s, the stack's proxy one of 30 s."""
ROUNDS_FOR_ALL = 3
"""So often every caller has its turn before chance decides: the smallest tenant must be seen too."""


def histogram() -> Any:
    """
    Make an empty histogram: microseconds, three digits.
    """
    return HdrHistogram(1, LONGEST_US, 3)  # type: ignore[no-untyped-call]


class Connections:
    """
    Kept-alive connections, the last used first. It never sends a request twice: a lost one must be seen as lost.

    One that was idle for long is closed, not used: a proxy that gave it up meanwhile would be charged with the loss.
    """

    def __init__(
        self, address: str, port: int, timeout_s: float, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.address, self.port, self.timeout_s, self.clock = address, port, timeout_s, clock
        self.idle: list[tuple[float, http.client.HTTPConnection]] = []

    def send(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> tuple[int, str]:
        """
        Send one request and read the whole answer; the whole exchange has the time limit of the plan.
        """
        connection = self._take()
        kept = False
        try:
            with gevent.Timeout(self.timeout_s, TimeoutError("no whole answer in time")):
                connection.request(method, path, body=body, headers=headers)
                answer = connection.getresponse()
                text = answer.read().decode("utf-8", errors="replace")
            kept = not answer.will_close
        finally:
            if kept:
                self.idle.append((self.clock(), connection))
            else:
                connection.close()
        return answer.status, text

    def _take(self) -> http.client.HTTPConnection:
        while self.idle and self.clock() - self.idle[0][0] > IDLE_MOST_S:
            self.idle.pop(0)[1].close()
        if self.idle:
            return self.idle.pop()[1]
        return http.client.HTTPConnection(self.address, self.port, timeout=self.timeout_s)


class Tally:
    """
    What came of the requests.
    """

    def __init__(self) -> None:
        self.served = histogram()
        self.lateness = histogram()
        self.outcomes: Counter[str] = Counter()
        self.operations: dict[str, dict[str, Any]] = {}
        self.own: Counter[str] = Counter()
        self.foreign: Counter[tuple[str, str, str]] = Counter()
        self.bins: dict[int, list[int]] = {}
        self.sent = self.lost = self.dropped = self.late_max_us = 0

    def late(self, late_us: int) -> None:
        """
        Note by how much a request left later than intended.
        """
        self.late_max_us = max(self.late_max_us, late_us)
        self.lateness.record_value(min(max(late_us, 1), LONGEST_US))

    def note(self, operation: dict[str, Any], intended_s: float, latency_us: int, status: int, outcome: str) -> None:
        """
        Count one request, by the time at which it was intended; only what was served has a latency.
        """
        lost = status not in operation["statuses"]
        one = self.operations.setdefault(operation["id"], {"sent": 0, "lost": 0, "served": histogram()})
        one["sent"] += 1
        one["lost"] += lost
        self.lost += lost
        self.outcomes[outcome] += 1
        if not lost:
            kept = min(max(latency_us, 1), LONGEST_US)
            self.served.record_value(kept)
            one["served"].record_value(kept)
        slot = self.bins.setdefault(int(intended_s / BIN_S), [0, 0, 0])
        slot[0] += 1
        slot[1] += lost
        slot[2] = max(slot[2], latency_us)


class OpenArrivals(User):
    """
    The one user: spawns request i at t0 + i / rate.
    """

    @task
    def arrive(self) -> None:
        """
        Send the whole plan, wait for what is in flight, write the result, end.
        """
        try:
            self.run_plan()
        finally:
            self.environment.runner.quit()

    def run_plan(self) -> None:
        """
        Follow the plan to its end, or until it is told to stop, or until whoever began it is gone.
        """
        self.tally = Tally()
        self.connections = Connections(PLAN["address"], PLAN["port"], PLAN["timeout_s"])
        self.pattern = re.compile(PLAN["canary"]) if PLAN["canary"] else None
        chance = random.Random(PLAN["seed"])  # noqa: S311 (a traffic model)
        operations, callers = PLAN["operations"], PLAN["callers"]
        upto = list(accumulate(one["weight"] for one in operations))
        upto_callers = list(accumulate(one["weight"] for one in callers))
        pool = Pool(PLAN["in_flight_most"])
        parent = os.getppid()
        self.warm_up(operations[0], callers[0])
        cpu = time.process_time()
        rate, total = PLAN["rate_per_s"], int(PLAN["rate_per_s"] * PLAN["duration_s"])
        begun = time.monotonic()
        BEGUN.write_text(json.dumps(begun), encoding="utf-8")
        told = False
        intended = begun
        for number in range(total):
            intended = begun + number / rate
            ahead = intended - time.monotonic()
            if ahead > 0:
                gevent.sleep(ahead)
            if STOP.exists() or os.getppid() != parent:
                told = True
                break
            operation = operations[bisect(upto, chance.random() * upto[-1])]
            caller = callers[bisect(upto_callers, chance.random() * upto_callers[-1])]
            if number < ROUNDS_FOR_ALL * len(callers):
                caller = callers[number % len(callers)]
            if pool.free_count() <= 0:
                self.tally.dropped += 1
                continue
            self.tally.sent += 1
            pool.spawn(self.exchange, operation, caller, intended, intended - begun)
        if not told:
            gevent.sleep(max(0.0, begun + PLAN["duration_s"] - time.monotonic()))
        ran_s = time.monotonic() - begun
        cpu_s = time.process_time() - cpu
        pool.join(timeout=PLAN["timeout_s"] + 1)
        self.write(begun, ran_s, intended - begun if told else ran_s, cpu_s, len(pool))

    def warm_up(self, operation: dict[str, Any], caller: dict[str, Any]) -> None:
        """
        Send one request that is not counted: imports, name look-up, the first connection.
        """
        try:
            self.connections.send("GET", operation["path"], None, caller["headers"])
        except (OSError, http.client.HTTPException):
            return

    def exchange(
        self, operation: dict[str, Any], caller: dict[str, Any], intended: float, since_begin_s: float
    ) -> None:
        """
        Send one request; its latency runs from the time at which it was intended.
        """
        self.tally.late(int((time.monotonic() - intended) * 1e6))
        body = operation["body"]
        headers = {**caller["headers"], **({"Content-Type": "application/json"} if body is not None else {})}
        status, text, outcome = 0, "", ""
        error: Exception | None = None
        try:
            content = None if body is None else json.dumps(body).encode()
            status, text = self.connections.send(operation["method"], operation["path"], content, headers)
            outcome = str(status)
        except TimeoutError as err:
            error, outcome = err, "timed out"
        except (OSError, http.client.HTTPException) as err:
            error, outcome = err, type(err).__name__
        latency_us = int((time.monotonic() - intended) * 1e6)
        self.tally.note(operation, since_begin_s, latency_us, status, outcome)
        self.read_canaries(operation, caller, text)
        self.environment.events.request.fire(
            request_type=operation["method"],
            name=operation["id"],
            response_time=latency_us / 1000,
            response_length=len(text),
            exception=error,
            context={},
        )

    def read_canaries(self, operation: dict[str, Any], caller: dict[str, Any], text: str) -> None:
        """
        Note the caller's own canary, and every one that is another tenant's.
        """
        if self.pattern is None:
            return
        for seen in set(self.pattern.findall(text)):
            if seen == caller["canary"]:
                self.tally.own[caller["name"]] += 1
            else:
                self.tally.foreign[operation["id"], caller["name"], seen] += 1

    def write(self, begun: float, ran_s: float, arrivals_s: float, cpu_s: float, unfinished: int) -> None:
        """
        Write the result whole or not at all.
        """
        tally = self.tally
        result = {
            "begun_monotonic_s": begun,
            "ran_s": ran_s,
            "arrivals_s": arrivals_s,
            "sent": tally.sent,
            "dropped": tally.dropped,
            "lost": tally.lost + unfinished,
            "unfinished": unfinished,
            "late_max_ms": tally.late_max_us / 1000,
            "late_p99_ms": tally.lateness.get_value_at_percentile(99) / 1000 if tally.sent else 0.0,
            "cpu_s": cpu_s,
            "outcomes": dict(tally.outcomes),
            "served": tally.served.encode().decode(),
            "operations": {
                name: {"sent": one["sent"], "lost": one["lost"], "served": one["served"].encode().decode()}
                for name, one in tally.operations.items()
            },
            "own": dict(tally.own),
            "foreign": [
                {"operation": operation, "caller": caller, "canary": canary, "responses": count}
                for (operation, caller, canary), count in tally.foreign.items()
            ],
            "bin_s": BIN_S,
            "bins": [[number, *counts] for number, counts in sorted(tally.bins.items())],
        }
        fresh = RESULT.with_suffix(".part")
        fresh.write_text(json.dumps(result), encoding="utf-8")
        fresh.replace(RESULT)
