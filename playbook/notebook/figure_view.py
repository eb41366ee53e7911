"""
Owns how a figure stands in a notebook: picture with alt text, and its data as a table below.
"""

from __future__ import annotations

from dataclasses import dataclass

from playbook.figures.figure import Figure
from playbook.notebook.table import Table
from playbook.notebook.theme import safe
from playbook.report.wording import plain

__all__ = ["FigureView"]

_IMAGE = "background:#fff;max-width:100%;width:768px;height:auto;display:block"


@dataclass(frozen=True, slots=True, repr=False)
class FigureView:
    """
    A figure, its alt text and its table, in one output.
    """

    figure: Figure

    @property
    def table(self) -> Table:
        """
        The figure's data.
        """
        return Table(self.figure.table.columns, self.figure.table.rows, caption=self.figure.title)

    def _repr_html_(self) -> str:
        image = f'<img src="{self.figure.png_uri}" alt="{safe(self.figure.alt)}" style="{_IMAGE}">'
        opened = f'<figure data-figure="{safe(self.figure.name)}" style="margin:.3rem 0">'
        return f"{opened}{image}</figure>{self.table._repr_html_()}"

    def _repr_markdown_(self) -> str:
        return f"{safe(self.figure.alt)}\n\n{self.table._repr_markdown_()}"

    def __repr__(self) -> str:
        return f"{plain(self.figure.alt)}\n{self.table!r}"
