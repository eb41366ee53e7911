"""
Owns the heat map: subjects by questions, once per state, each cell with its sign.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from playbook.figures.card import GRID, INK, draw
from playbook.figures.figure import Figure, FigureTable
from playbook.figures.marks import MARKS, Kind

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["HeatRow", "heat_map"]

_WIDTH_IN = 9.5
_ROW_IN = 0.19
_HEAD_IN = 1.3
_GAP = 0.6
"""Between two states, in cells."""

_NOT_ASKED = "absent"


@dataclass(frozen=True, slots=True)
class HeatRow:
    """
    One subject: per state one sign for each question.
    """

    label: str
    states: tuple[tuple[Kind, ...], ...]


def heat_map(
    rows: Sequence[HeatRow], *, questions: Sequence[str], states: Sequence[str], title: str, name: str
) -> Figure:
    """
    Draw subjects by questions, the states side by side; a question that a subject is not asked is left white.

    Raises ValueError when there is no row, or a row has another number of cells than there are states and questions.
    """
    wanted = [len(questions)] * len(states)
    if not rows or any([len(cells) for cells in row.states] != wanted for row in rows):
        msg = f"a heat map needs at least one row, each with {len(states)} states of {len(questions)} cells"
        raise ValueError(msg)

    def paint(axes: Axes) -> None:
        _paint(axes, rows, questions, states)

    png = draw(_WIDTH_IN, _HEAD_IN + _ROW_IN * len(rows), paint)
    table = FigureTable(
        columns=("", *questions),
        rows=tuple((row.label, *(_told(row, column) for column in range(len(questions)))) for row in rows),
    )
    return Figure(name=name, title=title, png=png, alt=_alt(rows, questions, states), table=table)


def _told(row: HeatRow, column: int) -> str:
    """
    Spell one cell of the table: its sign in each state, in their order.
    """
    kinds = [cells[column] for cells in row.states]
    return "" if set(kinds) == {_NOT_ASKED} else " → ".join(MARKS[kind].glyph for kind in kinds)


def _paint(axes: Axes, rows: Sequence[HeatRow], questions: Sequence[str], states: Sequence[str]) -> None:
    step = len(questions) + _GAP
    for y, row in enumerate(rows):
        for at, cells in enumerate(row.states):
            for x, kind in enumerate(cells):
                if kind == _NOT_ASKED:
                    continue
                left, mark = at * step + x, MARKS[kind]
                axes.fill(
                    [left, left + 1, left + 1, left], [y, y, y + 1, y + 1], facecolor=mark.fill, edgecolor=GRID, lw=0.5
                )
                axes.text(left + 0.5, y + 0.5, mark.glyph, color=mark.ink, va="center", ha="center", fontsize=7)
    ticks = [(at * step + x + 0.5, question) for at in range(len(states)) for x, question in enumerate(questions)]
    axes.set_xlim(0, step * len(states) - _GAP)
    axes.set_ylim(len(rows), 0)
    axes.set_xticks([x for x, _ in ticks], [text for _, text in ticks], rotation=90, fontsize=7.5)
    axes.set_yticks([y + 0.5 for y in range(len(rows))], [row.label for row in rows], fontsize=7.5)
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    for at, state in enumerate(states):
        middle = at * step + len(questions) / 2
        axes.text(middle, len(rows) + 0.4, state, color=INK, va="top", ha="center", fontweight="bold")
    for side in axes.spines.values():
        side.set_visible(False)


def _alt(rows: Sequence[HeatRow], questions: Sequence[str], states: Sequence[str]) -> str:
    parts = []
    for at, state in enumerate(states):
        counts = Counter(kind for row in rows for kind in row.states[at] if kind != _NOT_ASKED)
        told = ", ".join(f"{count} {MARKS[kind].word}" for kind, count in counts.most_common())
        parts.append(f"{state}: {told or 'nothing asked'}")
    return (
        f"Heat map of {len(rows)} subjects by {len(questions)} questions ({', '.join(questions)}). "
        f"{'; '.join(parts)}. The table below says each."
    )
