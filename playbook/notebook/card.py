"""
Owns the cards of a notebook: what will be touched, and the verdict.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from playbook.evidence.outcome import Outcome
from playbook.figures.marks import MARKS, Kind
from playbook.notebook.theme import BLOCK, safe
from playbook.report.wording import plain

__all__ = ["Card", "VerdictView"]


@dataclass(frozen=True, slots=True, repr=False)
class Card:
    """
    A title and a few lines; in a phase's first output, what will be touched. `kind` gives it the colours of a sign.
    """

    title: str
    lines: Sequence[str]
    kind: Kind | None = None

    def _repr_html_(self) -> str:
        items = "".join(f"<li>{safe(line)}</li>" for line in self.lines)
        mark = MARKS[self.kind] if self.kind else None
        style = f"{BLOCK};color:{mark.ink};background:{mark.fill};border-left-color:{mark.ink}" if mark else BLOCK
        return f'<div style="{style}"><strong>{safe(self.title)}</strong><ul style="margin:.2rem 0">{items}</ul></div>'

    def _repr_markdown_(self) -> str:
        return "\n".join([f"**{safe(self.title)}**", "", *(f"- {safe(line)}" for line in self.lines)])

    def __repr__(self) -> str:
        return "\n".join([plain(self.title), *(f"  - {plain(line)}" for line in self.lines)])


@dataclass(frozen=True, slots=True, repr=False)
class VerdictView:
    """
    How a phase or a run ended, and the lines that explain it.
    """

    outcome: Outcome
    title: str
    lines: Sequence[str] = ()

    @property
    def word(self) -> str:
        """
        Glyph and word, in capitals.
        """
        mark = MARKS[self.outcome]
        return f"{mark.glyph} {mark.word.upper()}"

    def _repr_html_(self) -> str:
        mark = MARKS[self.outcome]
        items = "".join(f"<li>{safe(line)}</li>" for line in self.lines)
        told = f'<ul style="margin:.2rem 0">{items}</ul>' if items else ""
        style = f"{BLOCK};color:{mark.ink};background:{mark.fill};border-left-color:{mark.ink}"
        return f'<div style="{style}"><strong>{safe(self.word)}</strong> {safe(self.title)}{told}</div>'

    def _repr_markdown_(self) -> str:
        return "\n".join([f"**{self.word}** {safe(self.title)}", "", *(f"- {safe(line)}" for line in self.lines)])

    def __repr__(self) -> str:
        return "\n".join([f"{self.word} {plain(self.title)}", *(f"  - {plain(line)}" for line in self.lines)])
