"""
Owns the look of outputs in JupyterLab, light and dark: its own variables, with fall-backs for where there are none.

Styles stand on the elements: a notebook that is not trusted loses its style sheets, and its words have to do.
"""

from __future__ import annotations

from html import escape

from playbook.figures.marks import MARKS, Cell
from playbook.report.wording import plain

__all__ = ["BLOCK", "CAPTION", "EDGE", "HEAD", "NOTE", "TABLE", "TEXT", "mark_style", "safe", "spell"]

EDGE = "1px solid var(--jp-border-color2, #b9bfc7)"
BLOCK = (
    f"border:{EDGE};border-left:.4rem solid var(--jp-border-color1, #8a9099);padding:.4rem .8rem;margin:.3rem 0;"
    "color:var(--jp-ui-font-color1, inherit)"
)
TABLE = "border-collapse:collapse;margin:.3rem 0;color:var(--jp-ui-font-color1, inherit);font-size:13px"
CAPTION = "text-align:left;caption-side:top;color:var(--jp-ui-font-color2, #6b7179);padding:.2rem 0"
HEAD = f"text-align:left;border:{EDGE};padding:.25rem .5rem;background:var(--jp-layout-color2, transparent)"
TEXT = f"text-align:left;vertical-align:top;border:{EDGE};padding:.25rem .5rem;overflow-wrap:break-word"
NOTE = "color:var(--jp-ui-font-color2, #6b7179)"


def mark_style(cell: Cell) -> str:
    """
    Style a cell of a sign: its ink on its fill reads the same in both themes.
    """
    mark = MARKS[cell.kind]
    return f"{TEXT};color:{mark.ink};background:{mark.fill}"


def safe(text: str) -> str:
    """
    Escape a text for markup; what steers a terminal or reorders a sentence is spelt out.
    """
    return escape(plain(text), quote=True)


def spell(value: str | Cell) -> str:
    """
    Give a cell as plain text.
    """
    return value.text if isinstance(value, Cell) else plain(value)
