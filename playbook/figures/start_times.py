"""
Owns the picture of a start: when each part was begun, and when it was healthy.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from playbook.figures.card import GRID, INK, MUTED, draw
from playbook.figures.figure import Figure, FigureTable
from playbook.figures.marks import MARKS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["PartStart", "start_times"]

_WIDTH_IN = 8.0
_BAR_IN = 0.42
_FOOT_IN = 0.75


@dataclass(frozen=True, slots=True)
class PartStart:
    """
    One part: seconds from the stack's start to its own, and to its first healthy answer (None: never healthy).
    """

    name: str
    started_s: float
    healthy_s: float | None


def start_times(parts: Sequence[PartStart], *, title: str = "Start, gated by health") -> Figure:
    """
    Draw one bar per part, from its start to its first healthy answer, in the order of their start.

    Raises ValueError when there is no part.
    """
    if not parts:
        msg = "no part was started: there is no bar to draw"
        raise ValueError(msg)
    ordered = sorted(parts, key=lambda part: (part.started_s, part.name))
    end = max(part.healthy_s if part.healthy_s is not None else part.started_s for part in ordered) or 1.0

    def paint(axes: Axes) -> None:
        for y, part in enumerate(ordered):
            _paint_part(axes, y, part, end)
        axes.set_xlim(0, end * 1.25)
        axes.set_ylim(len(ordered) - 0.5, -0.5)
        axes.set_yticks(range(len(ordered)), [part.name for part in ordered])
        axes.set_xlabel("seconds since the stack's start")
        axes.tick_params(axis="y", length=0)
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)

    png = draw(_WIDTH_IN, _FOOT_IN + _BAR_IN * len(ordered), paint)
    table = FigureTable(
        columns=("part", "started (s)", "healthy (s)", "took (s)"), rows=tuple(_row(part) for part in ordered)
    )
    return Figure(name="start-times", title=title, png=png, alt=_alt(ordered), table=table)


def _paint_part(axes: Axes, y: int, part: PartStart, end: float) -> None:
    mark = MARKS["fail" if part.healthy_s is None else "pass"]
    last = end if part.healthy_s is None else part.healthy_s
    axes.barh(
        y,
        max(last - part.started_s, end * 0.004),
        left=part.started_s,
        height=0.6,
        color=mark.fill,
        edgecolor=mark.ink,
        linewidth=1.0,
        hatch="////" if part.healthy_s is None else None,
    )
    words = "never healthy" if part.healthy_s is None else f"healthy after {last - part.started_s:.2f} s"
    axes.text(last + end * 0.01, y, f"{mark.glyph} {words}", color=mark.ink, ha="left", va="center", fontsize=8.5)
    axes.plot([part.started_s, part.started_s], [y - 0.38, y + 0.38], color=INK, linewidth=1.4)
    axes.axvline(0, color=GRID, linewidth=0.8)
    axes.xaxis.label.set_color(MUTED)


def _row(part: PartStart) -> tuple[str, ...]:
    if part.healthy_s is None:
        return (part.name, f"{part.started_s:.2f}", "never", "")
    return (part.name, f"{part.started_s:.2f}", f"{part.healthy_s:.2f}", f"{part.healthy_s - part.started_s:.2f}")


def _alt(parts: Sequence[PartStart]) -> str:
    told = [
        f"{part.name} started at {part.started_s:.2f} s and "
        + ("was never healthy" if part.healthy_s is None else f"was healthy at {part.healthy_s:.2f} s")
        for part in parts
    ]
    return f"Bars of start and health of {len(parts)} parts. {'; '.join(told)}."
