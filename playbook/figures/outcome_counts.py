"""
Owns the picture of a run at a glance: how many checks ended how, as found, hardened and sabotaged.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from playbook.figures.card import GRID, draw
from playbook.figures.figure import Figure, FigureTable
from playbook.figures.marks import MARKS, Kind

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["CountedBar", "outcome_counts"]

_WIDTH_IN = 8.0
_BAR_IN = 0.5
_FOOT_IN = 0.75
_ROOM_FOR_WORDS = 0.13
_ROOM_FOR_NUMBER = 0.05
_ROOM_FOR_GLYPH = 0.015


@dataclass(frozen=True, slots=True)
class CountedBar:
    """
    One bar: what is counted, and how many of each kind, in the order drawn.
    """

    label: str
    counts: Mapping[Kind, int]

    @property
    def total(self) -> int:
        """
        Length of the bar.
        """
        return sum(self.counts.values())


def outcome_counts(bars: Sequence[CountedBar], *, unit: str = "checks", title: str = "The run at a glance") -> Figure:
    """
    Draw one horizontal bar per state, its pieces labelled with glyph, number and word where there is room.

    Raises ValueError when nothing was counted.
    """
    longest = max((bar.total for bar in bars), default=0)
    if not longest:
        msg = "nothing was counted: there is no bar to draw"
        raise ValueError(msg)

    def paint(axes: Axes) -> None:
        for y, bar in enumerate(bars):
            _paint_bar(axes, y, bar, longest)
        axes.set_xlim(0, longest)
        axes.set_ylim(len(bars) - 0.5, -0.5)
        axes.set_yticks(range(len(bars)), [bar.label for bar in bars])
        axes.set_xlabel(f"number of {unit}")
        axes.locator_params(axis="x", integer=True)
        axes.tick_params(axis="y", length=0)
        for side in ("top", "right", "left"):
            axes.spines[side].set_visible(False)

    png = draw(_WIDTH_IN, _FOOT_IN + _BAR_IN * len(bars), paint)
    kinds = [kind for kind in MARKS if any(bar.counts.get(kind) for bar in bars)]
    table = FigureTable(
        columns=("", *(f"{MARKS[kind].glyph} {MARKS[kind].word}" for kind in kinds)),
        rows=tuple((bar.label, *(str(bar.counts.get(kind, 0)) for kind in kinds)) for bar in bars),
    )
    alt = "; ".join(f"{bar.label}: {_told(bar)}" for bar in bars)
    return Figure(name="outcome-counts", title=title, png=png, alt=f"Bars of {unit}. {alt}.", table=table)


def _paint_bar(axes: Axes, y: int, bar: CountedBar, longest: int) -> None:
    left = 0
    for kind, count in bar.counts.items():
        if not count:
            continue
        mark = MARKS[kind]
        axes.barh(y, count, left=left, height=0.72, color=mark.fill, edgecolor=mark.ink, linewidth=1.0)
        share = count / longest
        words = f"{mark.glyph} {count} {mark.word}" if share >= _ROOM_FOR_WORDS else f"{mark.glyph}{count}"
        if share >= _ROOM_FOR_GLYPH:
            words = words if share >= _ROOM_FOR_NUMBER else mark.glyph
            axes.text(left + count / 2, y, words, color=mark.ink, ha="center", va="center")
        left += count
    if not bar.total:
        axes.text(longest * 0.01, y, "none", color=GRID, ha="left", va="center")


def _told(bar: CountedBar) -> str:
    return ", ".join(f"{count} {MARKS[kind].word}" for kind, count in bar.counts.items() if count) or "none"
