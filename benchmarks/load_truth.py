"""
Reported percentiles against the truth, on a server that stalls 2 s every 10 s: open arrivals, and a closed loop.

The truth is computed from the schedule of stalls and the intended times alone; nothing of it is measured.
Run it on a quiet machine: `python benchmarks/load_truth.py [SECONDS] [RATE]` (60 s at 50/s). Exits 1 when an open
percentile is more than 5 % from the truth.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import multiprocessing
import sys
import time
from collections.abc import Sequence

from playbook.load.generator import run_load
from playbook.load.plan import Arrival, Plan
from playbook.service.measuring import measuring
from playbook.stack.ports import free_port

EVERY_S, STALL_S, WORK_S = 10.0, 2.0, 0.1
POINTS = (50, 95, 99)
TOLERANCE = 0.05


def stalled_until(moment: float) -> float:
    """When a server that stalls at the beginning of every period goes on."""
    into = moment % EVERY_S
    return moment - into + STALL_S if into < STALL_S else moment


def answered_at(moment: float) -> float:
    """When a request that comes now is answered: work begins and ends outside of stalls only."""
    return stalled_until(stalled_until(moment) + WORK_S)


def percentile(values: Sequence[float], point: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, round(point / 100 * len(ordered) + 0.5) - 1))]


def serve(port: int) -> None:
    """Serve with real stalls: the whole process sleeps."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                await reader.readuntil(b"\r\n\r\n")
                await asyncio.sleep(WORK_S)
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async def main() -> None:
        server = await asyncio.start_server(answer, "127.0.0.1", port, backlog=1000)
        async with server:
            while True:
                now = time.monotonic()
                if now % EVERY_S < STALL_S:
                    time.sleep(stalled_until(now) - now)  # noqa: ASYNC251 (the stall is the point)
                now = time.monotonic()
                await asyncio.sleep(max(0.0, EVERY_S - now % EVERY_S))

    asyncio.run(main())


def closed_loop(port: int, *, seconds: float, rate: float) -> list[float]:
    """Measure as many tools do: send, wait for the answer, wait for the rest of the interval, send."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    latencies = []
    end = time.monotonic() + seconds
    while (began := time.monotonic()) < end:
        connection.request("GET", "/")
        connection.getresponse().read()
        took = time.monotonic() - began
        latencies.append(took * 1000)
        time.sleep(max(0.0, 1 / rate - took))
    return latencies


def main(seconds: float = 60.0, rate: float = 50.0) -> int:
    port = free_port()
    server = multiprocessing.Process(target=serve, args=(port,), daemon=True)
    server.start()
    time.sleep(0.5)
    plan = Plan(
        address="127.0.0.1",
        port=port,
        rate_per_s=rate,
        duration_s=seconds,
        timeout_s=20,
        operations=(Arrival(id="get", path="/"),),
    )
    try:
        with measuring():
            result = run_load(plan)
            closed = closed_loop(port, seconds=seconds, rate=rate)
    finally:
        server.terminate()
    intended = [result.begun_monotonic_s + number / rate for number in range(result.sent)]
    truth = [(answered_at(moment) - moment) * 1000 for moment in intended]
    worst = 0.0
    rows = {}
    for point in POINTS:
        true, seen = percentile(truth, point), result.percentile_ms(point)
        worst = max(worst, abs(seen - true) / true)
        rows[f"p{point}"] = {
            "truth_ms": round(true, 1),
            "open_ms": round(seen, 1),
            "off": round(seen / true - 1, 4),
            "closed_ms": round(percentile(closed, point), 1),
        }
    unfit = result.unfit(declared_s=seconds, late_limit_ms=None)
    print(
        json.dumps(
            {
                "requests": result.sent,
                "closed_requests": len(closed),
                "percentiles": rows,
                "late_p99_ms": result.late_p99_ms,
                "late_max_ms": result.late_max_ms,
                "generator_core_share": round(result.cpu_s / result.ran_s, 3),
                "unfit": unfit,
                "within_5_percent": worst <= TOLERANCE and unfit is None,
            },
            indent=2,
        )
    )
    return 0 if worst <= TOLERANCE and unfit is None else 1


if __name__ == "__main__":
    sys.exit(main(*map(float, sys.argv[1:3])))
