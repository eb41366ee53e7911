"""
Owns the picture of a matrix of outcomes: one row per check, one column per state.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from playbook.figures.card import GRID, draw
from playbook.figures.figure import Figure, FigureTable
from playbook.figures.marks import MARKS, Cell

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["OutcomeRow", "outcome_matrix"]

_WIDTH_IN = 8.0
_ROW_IN = 0.32
_HEAD_IN = 0.6


@dataclass(frozen=True, slots=True)
class OutcomeRow:
    """
    One check: its id, and a cell per state.
    """

    label: str
    cells: tuple[Cell, ...]


def outcome_matrix(
    rows: Sequence[OutcomeRow], *, states: Sequence[str] = ("found", "hardened", "sabotaged"), title: str = "Outcomes"
) -> Figure:
    """
    Draw checks by states as a map of coloured cells with glyph and words.

    Raises ValueError when there is no row, or a row has another number of cells than there are states.
    """
    if not rows or any(len(row.cells) != len(states) for row in rows):
        msg = f"a matrix needs at least one row, each with {len(states)} cells"
        raise ValueError(msg)

    def paint(axes: Axes) -> None:
        _paint(axes, rows, states)

    png = draw(_WIDTH_IN, _HEAD_IN + _ROW_IN * len(rows), paint)
    table = FigureTable(
        columns=("check", *states), rows=tuple((row.label, *(cell.text for cell in row.cells)) for row in rows)
    )
    return Figure(name="outcome-matrix", title=title, png=png, alt=_alt(rows, states), table=table)


def _paint(axes: Axes, rows: Sequence[OutcomeRow], states: Sequence[str]) -> None:
    for y, row in enumerate(rows):
        for x, cell in enumerate(row.cells):
            mark = MARKS[cell.kind]
            axes.fill([x, x + 1, x + 1, x], [y, y, y + 1, y + 1], facecolor=mark.fill, edgecolor=GRID, linewidth=0.8)
            axes.text(x + 0.04, y + 0.5, cell.text, color=mark.ink, va="center", ha="left", fontsize=8.5)
    axes.set_xlim(0, len(states))
    axes.set_ylim(len(rows), 0)
    axes.set_xticks([x + 0.5 for x in range(len(states))], [f"{state} →" for state in states[:-1]] + [states[-1]])
    axes.set_yticks([y + 0.5 for y in range(len(rows))], [row.label for row in rows])
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    for side in axes.spines.values():
        side.set_visible(False)


def _alt(rows: Sequence[OutcomeRow], states: Sequence[str]) -> str:
    parts = []
    for x, state in enumerate(states):
        counts = Counter(MARKS[row.cells[x].kind].word for row in rows)
        told = ", ".join(
            f"{count} {word}" for word, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        )
        parts.append(f"{state}: {told}")
    return f"Matrix of {len(rows)} checks by state. {'; '.join(parts)}. The table below says each."
