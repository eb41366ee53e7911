"""
Owns how phase 60's results stand in a notebook: latency by percentile, and what each rolling restart lost.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pydantic import JsonValue

from playbook.evidence.result import CheckResult
from playbook.figures.percentiles import LatencyLine, latency_percentiles
from playbook.load.findings import SPECTRUM
from playbook.notebook.figure_view import FigureView
from playbook.notebook.table import Table
from playbook.report.wording import spell_value

__all__ = ["latency_picture", "losses_table"]

RESTART = "load.restart.none-lost"


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
