"""
Owns how phase 60's results stand in a notebook: latency by percentile, and what each rolling restart lost.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pydantic import JsonValue

from playbook.evidence.result import CheckResult
from playbook.figures.percentiles import LatencyLine, latency_percentiles
from playbook.load.findings import SPECTRUM
from playbook.load.volume import VOLUMES
from playbook.notebook.figure_view import FigureView
from playbook.notebook.table import Table
from playbook.report.wording import spell_value
from playbook.target.scenario import Profile
from playbook.target.target import Target

__all__ = ["latency_picture", "losses_table", "traffic_table"]

RESTART = "load.restart.none-lost"


def traffic_table(target: Target, *, profile: Profile) -> Table:
    """
    Show what is sent, in which share, and what it is held to. Read-only.
    """
    operations = target.traffic.operations if target.traffic else ()
    whole = sum(one.weight for one in operations) or 1
    volume = VOLUMES[profile]
    goals = target.objectives
    held = f"p95 at most {goals.p95_ms:g} ms" if goals.p95_ms is not None else "no p95 declared"
    held += f", errors at most {goals.error_rate:.1%}" if goals.error_rate is not None else ", no error rate declared"
    return Table(
        ("operation", "request", "share"),
        [(one.id, f"{one.method} {one.path}", f"{one.weight / whole:.0%}") for one in operations],
        caption=f"{volume.rate_per_s:g} requests/s for {volume.duration_s:g} s, without rate limits; {held}",
    )


def latency_picture(results: Iterable[CheckResult], *, p95_ms: float | None) -> FigureView | Table:
    """
    Draw the measured latencies of each state with the objective; a table says so where none was measured. Read-only.
    """
    lines = [LatencyLine(result.state, points) for result in results if (points := list(_points(result)))]
    if not lines:
        return Table(("latency",), (("no latency was measured",),))
    return FigureView(latency_percentiles(lines, p95_ms=p95_ms))


def losses_table(results: Iterable[CheckResult]) -> Table:
    """
    Show what each rolling restart lost, by cause, and what the number of requests lets a zero mean. Read-only.
    """
    rows = [
        (
            result.state,
            _observed(result, "requests sent"),
            spell_value(result.actual, limit=20),
            _observed(result, "lost, by cause"),
            result.strength_reason or result.reason or "",
        )
        for result in results
        if result.id == RESTART
    ]
    return Table(("state", "requests", "lost", "by cause", "what it means"), rows, caption="Rolling restart under load")


def _points(result: CheckResult) -> Iterator[tuple[float, float]]:
    for one in result.observations:
        if one.request == SPECTRUM and isinstance(one.value, list):
            yield from (pair for pair in map(_pair, one.value) if pair is not None)


def _pair(value: JsonValue) -> tuple[float, float] | None:
    if isinstance(value, list) and len(value) == 2:  # noqa: PLR2004 (a pair)
        percentile, latency = value
        if isinstance(percentile, int | float) and isinstance(latency, int | float):
            return float(percentile), float(latency)
    return None


def _observed(result: CheckResult, request: str) -> str:
    value = next((one.value for one in result.observations if one.request == request), None)
    return "" if value is None else spell_value(value, limit=120)
