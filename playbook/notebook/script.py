"""
Owns Script: a long text of statements, on a screen in a frame that scrolls, on paper whole.
"""

from __future__ import annotations

from dataclasses import dataclass

from playbook.notebook.theme import EDGE, NOTE, safe
from playbook.report.wording import plain

__all__ = ["Script"]

_FRAME = f"border:{EDGE};padding:.4rem .8rem;margin:.3rem 0;max-height:32rem;overflow:auto;font-size:12px"


@dataclass(frozen=True, slots=True, repr=False)
class Script:
    """
    Statements with a caption.
    """

    text: str
    caption: str

    def _repr_html_(self) -> str:
        head = f'<p style="{NOTE}">{safe(self.caption)}</p>'
        lines = "\n".join(safe(line) for line in self.text.split("\n"))
        return f'{head}<pre tabindex="0" style="{_FRAME}">{lines}</pre>'

    def _repr_markdown_(self) -> str:
        lines = "\n".join(f"    {plain(line)}" for line in self.text.split("\n"))
        return f"{safe(self.caption)}\n\n{lines}"

    def __repr__(self) -> str:
        return "\n".join([plain(self.caption), *(plain(line) for line in self.text.split("\n"))])
