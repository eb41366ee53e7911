"""
Owns the picture of who owns which rows: each table hangs on the one that it reaches its tenant through.
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

__all__ = ["OwnedTable", "ownership_graph"]

_WIDTH_IN = 9.0
_ROW_IN = 0.34
_FOOT_IN = 0.5
_STEP = 1.15
_LINE = 8.5


@dataclass(frozen=True, slots=True)
class OwnedTable:
    """
    One table: its class, and the column and parent by which it reaches its tenant, where it does.

    Classes are `root`, `direct`, `inherited`, `shared` and `undecided`.
    """

    name: str
    owned: str
    column: str | None = None
    parent: str | None = None


@dataclass(frozen=True, slots=True)
class _Placed:
    table: OwnedTable
    depth: int
    row: int


def ownership_graph(tables: Sequence[OwnedTable], *, title: str = "How each table reaches its tenant") -> Figure:
    """
    Draw one line per table, one step to the right of the table that it hangs on; those that reach none stand below.

    Raises ValueError unless there is exactly one root.
    """
    roots = [one for one in tables if one.owned == "root"]
    if len(roots) != 1:
        msg = f"{len(roots)} roots: there must be one to hang the others on"
        raise ValueError(msg)
    placed = _hang(roots[0], tables, 0, [])
    apart = [one for one in tables if one not in [known.table for known in placed]]
    placed += [_Placed(one, 0, len(placed) + 1 + number) for number, one in enumerate(apart)]
    deepest = max(one.depth for one in placed)

    def paint(axes: Axes) -> None:
        at = {one.table.name: one for one in placed}
        for one in placed:
            _paint(axes, one, at.get(one.table.parent or ""))
        axes.set_xlim(-0.1, deepest * _STEP + 1.6)
        axes.set_ylim(placed[-1].row + 0.7, -0.7)
        axes.set_axis_off()

    png = draw(_WIDTH_IN, _FOOT_IN + _ROW_IN * (placed[-1].row + 1), paint)
    rows = tuple((one.table.name, one.table.owned, one.table.column or "", one.table.parent or "") for one in placed)
    table = FigureTable(columns=("table", "class", "by", "reaches"), rows=rows)
    return Figure(name="ownership-graph", title=title, png=png, alt=_alt(placed), table=table)


def _hang(table: OwnedTable, tables: Sequence[OwnedTable], depth: int, placed: list[_Placed]) -> list[_Placed]:
    """
    Place a table, and below it what hangs on it, each a step further.
    """
    if all(one.table != table for one in placed):
        placed.append(_Placed(table, depth, len(placed)))
        for child in sorted(tables, key=lambda one: one.name):
            if child.parent == table.name:
                _hang(child, tables, depth + 1, placed)
    return placed


def _paint(axes: Axes, one: _Placed, parent: _Placed | None) -> None:
    x = one.depth * _STEP
    undecided = one.table.owned == "undecided"
    mark = MARKS["fail" if undecided else "skip" if one.table.owned == "shared" else "pass"]
    if parent is not None:
        corner = parent.depth * _STEP + 0.12
        axes.plot([corner, corner, x], [parent.row + 0.32, one.row, one.row], color=GRID, linewidth=1.2, zorder=1)
        axes.text(
            corner + 0.05, one.row - 0.06, f"← {one.table.column}", color=MUTED, fontsize=7, ha="left", va="bottom"
        )
    name = axes.text(
        x,
        one.row,
        f" {one.table.name.removeprefix('public.')} ",
        color=INK,
        fontsize=_LINE,
        ha="left",
        va="center",
        zorder=2,
        bbox={
            "boxstyle": "round,pad=0.25",
            "facecolor": mark.fill,
            "edgecolor": mark.ink,
            "linestyle": "--" if undecided else "-",
        },
    )
    words = "? undecided" if undecided else one.table.owned
    axes.annotate(
        words, xy=(1, 0.5), xycoords=name, xytext=(10, 0), textcoords="offset points", color=mark.ink, fontsize=7.5,
        va="center",
    )  # fmt: skip


def _alt(placed: Sequence[_Placed]) -> str:
    told = [
        f"{one.table.name} ({one.table.owned}) by {one.table.column} through {one.table.parent}"
        if one.table.parent
        else f"{one.table.name} ({one.table.owned})"
        for one in placed
    ]
    return f"A tree of {len(placed)} tables. {'; '.join(told)}."
