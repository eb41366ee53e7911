"""
Owns Table: rows for a notebook, as HTML in both themes, as Markdown, and as plain text for paper.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from playbook.figures.marks import Cell
from playbook.notebook.theme import CAPTION, HEAD, NOTE, TABLE, TEXT, mark_style, safe, spell
from playbook.report.wording import plain

__all__ = ["ROW_LIMIT", "Table"]

ROW_LIMIT = 200
"""Rows shown; how many more there are is said below."""

_WIDEST = 64


@dataclass(frozen=True, slots=True, repr=False)
class Table:
    """
    A table. A `Cell` shows its sign with glyph and words.
    """

    columns: Sequence[str]
    rows: Sequence[Sequence[str | Cell]]
    caption: str = ""

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row) != len(self.columns):
                msg = f"a row has {len(row)} cells for {len(self.columns)} columns: {row!r}"
                raise ValueError(msg)

    def _repr_html_(self) -> str:
        head = "".join(f'<th scope="col" style="{HEAD}">{safe(name)}</th>' for name in self.columns)
        body = "".join(f"<tr>{_first(row[0])}{''.join(map(_cell, row[1:]))}</tr>" for row in self.rows[:ROW_LIMIT])
        caption = f'<caption style="{CAPTION}">{safe(self.caption)}</caption>' if self.caption else ""
        more = f'<p style="{NOTE}">{safe(self._more())}</p>' if self._more() else ""
        return f'<table style="{TABLE}">{caption}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{more}'

    def _repr_markdown_(self) -> str:
        lines = [f"*{_pipe(self.caption)}*", ""] if self.caption else []
        lines += [_line(self.columns), _line(["---"] * len(self.columns))]
        lines += [_line([spell(value) for value in row]) for row in self.rows[:ROW_LIMIT]]
        return "\n".join([*lines, *(["", self._more()] if self._more() else [])])

    def __repr__(self) -> str:
        body = [[_cut(spell(value)) for value in row] for row in (self.columns, *self.rows[:ROW_LIMIT])]
        widths = [max(len(row[column]) for row in body) for column in range(len(self.columns))]
        lines = ["  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in body]
        lines.insert(1, "  ".join("-" * width for width in widths))
        lines = [plain(self.caption), *lines] if self.caption else lines
        return "\n".join([*lines, *([self._more()] if self._more() else [])])

    def _more(self) -> str:
        left = len(self.rows) - ROW_LIMIT
        return f"{left} more rows are not shown." if left > 0 else ""


def _first(value: str | Cell) -> str:
    if isinstance(value, Cell):
        return _cell(value)
    return f'<th scope="row" style="{TEXT};font-weight:600">{_lines(value)}</th>'


def _cell(value: str | Cell) -> str:
    if isinstance(value, Cell):
        return f'<td style="{mark_style(value)}">{safe(value.text)}</td>'
    return f'<td style="{TEXT}">{_lines(value)}</td>'


def _lines(text: str) -> str:
    return safe(text).replace("\n", "<br>")


def _line(texts: Sequence[str]) -> str:
    return f"| {' | '.join(_pipe(text) for text in texts)} |"


def _pipe(text: str) -> str:
    escaped = plain(text).replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;").replace("`", "\\`")
    return escaped.replace("\r", " ").replace("\n", " ")


def _cut(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= _WIDEST else f"{flat[: _WIDEST - 1]}…"
