"""
Owns the picture of latency by percentile: one line per run, and the objective that they are held to.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from playbook.figures.card import GRID, INK, draw
from playbook.figures.figure import Figure, FigureTable

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["LatencyLine", "latency_percentiles"]

_SIZE_IN = (8.0, 3.6)
_TABLED = (50.0, 95.0, 99.0, 100.0)
_WORDS = {50.0: "p50", 95.0: "p95", 99.0: "p99", 100.0: "max"}
_STYLES = (("#0a4a69", "-", "o"), ("#7a3e00", "--", "s"), ("#3a3d92", "-.", "^"), ("#50555d", ":", "D"))
_OVER = "#9a1414"


@dataclass(frozen=True, slots=True)
class LatencyLine:
    """
    One run: pairs of percentile (0 to 100) and latency in milliseconds, in the order of percentiles.
    """

    label: str
    points: Sequence[tuple[float, float]]

    def at(self, percentile: float) -> float:
        """
        Latency at the first known percentile that is not below this one.
        """
        return next((value for point, value in self.points if point >= percentile), self.points[-1][1])


def latency_percentiles(
    lines: Sequence[LatencyLine], *, p95_ms: float | None = None, title: str = "Latency by percentile"
) -> Figure:
    """
    Draw latency over percentile on a logarithmic axis, with the objective as a line.

    Raises ValueError when there is no line, or one without points.
    """
    if not lines or not all(line.points for line in lines):
        msg = "nothing was measured: there is no line to draw"
        raise ValueError(msg)

    def paint(axes: Axes) -> None:
        _paint(axes, lines, p95_ms)

    png = draw(*_SIZE_IN, paint)
    table = FigureTable(
        columns=("run", *(f"{_WORDS[point]} (ms)" for point in _TABLED), "objective p95 (ms)"),
        rows=tuple(
            (line.label, *(f"{line.at(point):.1f}" for point in _TABLED), "" if p95_ms is None else f"{p95_ms:g}")
            for line in lines
        ),
    )
    return Figure(name="latency-percentiles", title=title, png=png, alt=_alt(lines, p95_ms), table=table)


def _paint(axes: Axes, lines: Sequence[LatencyLine], p95_ms: float | None) -> None:
    for line, (colour, dashes, marker) in zip(lines, _STYLES * len(lines), strict=False):
        x = [point for point, _ in line.points]
        y = [max(value, 0.1) for _, value in line.points]
        axes.plot(x, y, color=colour, linestyle=dashes, marker=marker, markersize=3.5, linewidth=1.5, label=line.label)
    if p95_ms is not None:
        axes.axhline(p95_ms, color=_OVER, linewidth=1.3)
        axes.text(0.5, p95_ms, f"objective: p95 ≤ {p95_ms:g} ms", color=_OVER, va="bottom", ha="left", fontsize=8.5)
        axes.axvline(95, color=GRID, linewidth=0.8, linestyle=":")
    axes.set_yscale("log")
    axes.set_xlim(0, 101)
    axes.set_xlabel("percentile of the answered requests (%)")
    axes.set_ylabel("latency from the intended start (ms)")
    axes.legend(frameon=False, loc="best", labelcolor=INK)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def _alt(lines: Sequence[LatencyLine], p95_ms: float | None) -> str:
    told = "; ".join(
        f"{line.label}: p50 {line.at(50):.0f} ms, p95 {line.at(95):.0f} ms, p99 {line.at(99):.0f} ms,"
        f" slowest {line.at(100):.0f} ms"
        for line in lines
    )
    bound = "" if p95_ms is None else f" The objective for p95 is {p95_ms:g} ms."
    return f"Lines of latency by percentile. {told}.{bound}"
