"""
Owns the signs of an outcome: glyph, word and colours, the same in figures, reports, terminals and notebooks.

Colours are for a white card: each ink has a contrast of at least 4.5:1 on white and on its own fill (WCAG 1.4.3), and
none of them says anything that glyph and word do not say too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

__all__ = ["MARKS", "Cell", "Kind", "Mark"]

Kind = Literal["pass", "fail", "error", "skip", "waived", "caught", "survived", "void", "not_tried", "absent"]


@dataclass(frozen=True, slots=True)
class Mark:
    """
    One sign. `ink` and `fill` are `#rrggbb`.
    """

    glyph: str
    word: str
    ink: str
    fill: str


MARKS: Mapping[Kind, Mark] = MappingProxyType(
    {
        "pass": Mark("✔", "pass", "#0b5a30", "#d9f0e1"),
        "fail": Mark("✖", "fail", "#9a1414", "#fbdada"),
        "error": Mark("!", "error", "#7a3e00", "#ffe4bd"),
        "skip": Mark("–", "skip", "#484d55", "#e8eaed"),  # noqa: RUF001 (the sign is a dash, not a minus)
        "waived": Mark("◇", "waived", "#3a3d92", "#e2e3fa"),
        "caught": Mark("✖", "caught", "#0a4a69", "#d3eaf6"),
        "survived": Mark("!", "survived", "#7a3e00", "#ffe4bd"),
        "void": Mark("!", "void", "#7a3e00", "#ffe4bd"),
        "not_tried": Mark("○", "not tried", "#50555d", "#ffffff"),
        "absent": Mark("·", "not run", "#63686f", "#ffffff"),
    }
)
"""`caught` is a check that turned red under a sabotage, as it must: the only ✖ that one wants to see."""


@dataclass(frozen=True, slots=True)
class Cell:
    """
    One cell of a matrix of outcomes: its sign, and what stands beside the glyph.
    """

    kind: Kind
    words: str

    @property
    def text(self) -> str:
        """
        Glyph and words, for paper.
        """
        return f"{MARKS[self.kind].glyph} {self.words}"
