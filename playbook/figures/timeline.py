"""
Owns the picture of a recovery: from the loss to serving again, part by part, against the objective.
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

__all__ = ["RecoveryBar", "Span", "recovery_timeline"]

_WIDTH_IN = 8.0
_BAR_IN = 0.62
_FOOT_IN = 1.0
_ROOM_FOR_WORDS = 0.07
_FILLS = ("#d3eaf6", "#e2e3fa", "#ffe4bd", "#e8eaed", "#d9f0e1", "#fbe3f1")
_HATCHES = ("", "/", "\\", ".", "", "x")


@dataclass(frozen=True, slots=True)
class Span:
    """
    One part: its name, and its beginning and end in seconds since the loss (before it: negative).
    """

    name: str
    began_s: float
    ended_s: float
    note: str = ""

    @property
    def took_s(self) -> float:
        return self.ended_s - self.began_s


@dataclass(frozen=True, slots=True)
class RecoveryBar:
    """
    One way of restoring: what was still safe (seconds before the loss), its parts, and how it ended (None: serving).
    """

    label: str
    safe_s: float | None
    spans: tuple[Span, ...]
    failed: str | None = None


def recovery_timeline(
    bars: Sequence[RecoveryBar],
    *,
    rto_target_s: float | None,
    rpo_target_s: float | None,
    title: str = "From the loss to serving again",
) -> Figure:
    """
    Draw one bar per way: what was lost before the moment of the loss, and each part of the recovery after it.

    An objective inside the picture is a line, one outside is told at the edge. Raises ValueError when there is no bar.
    """
    if not bars:
        msg = "nothing was restored: there is no bar to draw"
        raise ValueError(msg)
    end = max((span.ended_s for bar in bars for span in bar.spans), default=1.0) or 1.0
    names = tuple(dict.fromkeys(span.name for bar in bars for span in bar.spans))
    start = -max((bar.safe_s for bar in bars if bar.safe_s is not None), default=0.0)

    def paint(axes: Axes) -> None:
        for y, bar in enumerate(bars):
            _paint_bar(axes, y, bar, names, end - start)
        axes.axvline(0, color=INK, linewidth=1.4)
        axes.text(-(end - start) * 0.008, -0.62, "loss", color=INK, ha="right", va="bottom")
        edge = end + (end - start) * 0.28
        _paint_targets(axes, start, edge, rto_target_s, rpo_target_s)
        axes.set_xlim(start - (end - start) * 0.04, edge)
        axes.set_ylim(len(bars) - 0.4, -0.85)
        axes.set_yticks(range(len(bars)), [bar.label for bar in bars])
        axes.set_xlabel("seconds since the loss")
        axes.xaxis.label.set_color(MUTED)
        axes.tick_params(axis="y", length=0)
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)

    png = draw(_WIDTH_IN, _FOOT_IN + _BAR_IN * len(bars), paint)
    rows = [row for bar in bars for row in _rows(bar)]
    table = FigureTable(("way", "part", "from (s)", "to (s)", "took (s)", "moved"), tuple(rows))
    alt = _alt(bars, rto_target_s, rpo_target_s)
    return Figure(name="recovery-timeline", title=title, png=png, alt=alt, table=table)


def _paint_bar(axes: Axes, y: int, bar: RecoveryBar, names: Sequence[str], whole: float) -> None:
    if bar.safe_s:
        lost = MARKS["fail"]
        axes.barh(y, bar.safe_s, left=-bar.safe_s, height=0.5, color=lost.fill, edgecolor=lost.ink, hatch="-")
        if bar.safe_s / whole >= _ROOM_FOR_WORDS:
            _label(axes, -bar.safe_s / 2, y, "lost")
    last = 0.0
    for span in bar.spans:
        number = names.index(span.name) % len(_FILLS)
        axes.barh(
            y, span.took_s, left=span.began_s, height=0.5, color=_FILLS[number], edgecolor=INK, linewidth=0.8,
            hatch=_HATCHES[number],
        )  # fmt: skip
        if span.took_s / whole >= _ROOM_FOR_WORDS:
            _label(axes, (span.began_s + span.ended_s) / 2, y, span.name)
        last = span.ended_s
    mark = MARKS["fail" if bar.failed else "pass"]
    words = "not serving" if bar.failed else f"serving after {last:.1f} s"
    axes.text(last + whole * 0.01, y, f"{mark.glyph} {words}", color=mark.ink, ha="left", va="center", fontsize=8.5)


def _label(axes: Axes, x: float, y: int, words: str) -> None:
    on_white = {"facecolor": "white", "edgecolor": "none", "pad": 1.0}
    axes.text(x, y, words, color=INK, ha="center", va="center", fontsize=8, bbox=on_white)


def _paint_targets(axes: Axes, start: float, edge: float, rto_s: float | None, rpo_s: float | None) -> None:
    told = []
    if rto_s is not None and rto_s <= edge:
        axes.axvline(rto_s, color=GRID, linestyle="--")
        axes.text(rto_s, -0.62, f"RTO {rto_s:.0f} s", ha="center", va="bottom", color=MUTED)
    elif rto_s is not None:
        told.append(f"RTO {rto_s:.0f} s is beyond the right edge")
    if rpo_s is not None and -rpo_s >= start:
        axes.axvline(-rpo_s, color=GRID, linestyle="--")
        axes.text(-rpo_s, -0.62, f"RPO {rpo_s:.0f} s", ha="center", va="bottom", color=MUTED)
    elif rpo_s is not None:
        told.append(f"RPO {rpo_s:.0f} s beyond the left")
    if told:
        axes.text(edge, -0.62, "; ".join(told), ha="right", va="bottom", color=MUTED, fontsize=8)


def _rows(bar: RecoveryBar) -> list[tuple[str, ...]]:
    rows = []
    if bar.safe_s is not None:
        rows.append((bar.label, "lost", f"{-bar.safe_s:.2f}", "0.00", f"{bar.safe_s:.2f}", ""))
    rows += [
        (bar.label, span.name, f"{span.began_s:.2f}", f"{span.ended_s:.2f}", f"{span.took_s:.2f}", span.note)
        for span in bar.spans
    ]
    return [*rows, (bar.label, f"not serving: {bar.failed}" if bar.failed else "serving", "", "", "", "")]


def _alt(bars: Sequence[RecoveryBar], rto_s: float | None, rpo_s: float | None) -> str:
    told = []
    for bar in bars:
        parts = ", ".join(f"{span.name} {span.took_s:.2f} s" for span in bar.spans)
        lost = "nothing came back" if bar.safe_s is None else f"{bar.safe_s:.2f} s of writes lost"
        end = f"not serving ({bar.failed})" if bar.failed else f"serving after {_end(bar):.2f} s"
        told.append(f"{bar.label}: {lost}; {parts or 'no part'}; {end}")
    targets = [f"RTO {rto_s:.0f} s" if rto_s is not None else "no RTO", f"RPO {rpo_s:.0f} s" if rpo_s else "no RPO"]
    return f"Bars of the recovery by way of restoring, against {' and '.join(targets)}. {'. '.join(told)}."


def _end(bar: RecoveryBar) -> float:
    return max((span.ended_s for span in bar.spans), default=0.0)
