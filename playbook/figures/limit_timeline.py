"""
Owns the picture of limits over time: what of one caller was let through and what refused, under each limit's line.
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

__all__ = ["LimitLane", "Sent", "limit_timeline"]

_WIDTH_IN = 8.0
_LANE_IN = 0.85
_FOOT_IN = 0.75
_LINE = 0.8
"""Where in its lane of height 1 a limit's line stands."""


@dataclass(frozen=True, slots=True)
class Sent:
    """
    One request: seconds since the caller's first answer, its status, and whether it was let through.
    """

    at_s: float
    status: int
    admitted: bool


@dataclass(frozen=True, slots=True)
class LimitLane:
    """
    One limit: so many requests in so many seconds, and what its callers sent.
    """

    name: str
    requests: int
    seconds: float
    sent: tuple[Sent, ...]

    def within(self, at_s: float) -> int:
        """
        Count what was let through in the window that ends at a moment.
        """
        return sum(one.admitted and at_s - self.seconds < one.at_s <= at_s for one in self.sent)


def limit_timeline(lanes: Sequence[LimitLane], *, title: str = "Let through and refused over time") -> Figure:
    """
    Draw one lane per limit: each request at the count of its window, with the declared limit as a line.

    Raises ValueError when nothing was sent.
    """
    if not any(lane.sent for lane in lanes):
        msg = "nothing was sent: there is no timeline to draw"
        raise ValueError(msg)
    end = max((one.at_s for lane in lanes for one in lane.sent), default=1.0) or 1.0

    def paint(axes: Axes) -> None:
        for y, lane in enumerate(lanes):
            _paint_lane(axes, len(lanes) - 1 - y, lane, end)
        axes.set_xlim(-0.04 * end, end * 1.12)
        axes.set_ylim(0, len(lanes))
        axes.set_yticks([len(lanes) - 1 - y + _LINE / 2 for y in range(len(lanes))], [lane.name for lane in lanes])
        axes.set_xlabel("seconds since the caller's first answer")
        axes.tick_params(axis="y", length=0)
        for side in ("top", "right", "left"):
            axes.spines[side].set_visible(False)

    png = draw(_WIDTH_IN, _FOOT_IN + _LANE_IN * len(lanes), paint)
    table = FigureTable(
        columns=("limit", "declared", "seconds", "let through", "refused", "statuses"),
        rows=tuple(row for lane in lanes for row in _rows(lane)),
    )
    return Figure(name="limit-timeline", title=title, png=png, alt=_alt(lanes), table=table)


def _paint_lane(axes: Axes, base: float, lane: LimitLane, end: float) -> None:
    line = base + _LINE
    axes.plot([0, end * 1.02], [line, line], color=INK, linewidth=1.0, linestyle=(0, (5, 2)))
    axes.plot([0, end * 1.02], [base + 0.04, base + 0.04], color=GRID, linewidth=0.6)
    axes.text(end * 1.03, line, f"{lane.requests} in {lane.seconds:g} s", color=MUTED, va="center", fontsize=8)
    for kind, admitted, marker in (("pass", True, "o"), ("fail", False, "X")):
        mark = MARKS[kind]  # type: ignore[index]
        chosen = [one for one in lane.sent if one.admitted is admitted]
        heights = [base + 0.04 + (_LINE - 0.04) * min(1.15, lane.within(one.at_s) / lane.requests) for one in chosen]
        axes.plot(
            [one.at_s for one in chosen], heights, linestyle="none", marker=marker, markersize=6,
            markerfacecolor=mark.fill, markeredgecolor=mark.ink,
        )  # fmt: skip


def _rows(lane: LimitLane) -> list[tuple[str, ...]]:
    """
    One row per whole second in which something was sent.
    """
    rows: list[tuple[str, ...]] = []
    for second in sorted({int(one.at_s) for one in lane.sent}):
        sent = [one for one in lane.sent if int(one.at_s) == second]
        refused = sorted({str(one.status) for one in sent if not one.admitted})
        through = sum(one.admitted for one in sent)
        rows.append(
            (
                lane.name,
                f"{lane.requests} in {lane.seconds:g} s",
                f"{second} to {second + 1}",
                str(through),
                str(len(sent) - through),
                ", ".join(refused) or "–",  # noqa: RUF001 (the sign is a dash)
            )
        )
    return rows


def _alt(lanes: Sequence[LimitLane]) -> str:
    parts = []
    for lane in lanes:
        through = sum(one.admitted for one in lane.sent)
        highest = max((lane.within(one.at_s) for one in lane.sent), default=0)
        parts.append(
            f"{lane.name}: {through} let through, {len(lane.sent) - through} refused, "
            f"at most {highest} of {lane.requests} in {lane.seconds:g} s"
        )
    return f"Timeline of {len(lanes)} limits, each with its line. {'; '.join(parts)}. The table below counts by second."
