"""
Owns the pictures of a run's phases: taken from the executed notebooks, else drawn from the results.

A notebook is evidence, and so it is read like what a stranger wrote: a picture has to be a PNG that stands in the
cell itself, and its words are text.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path

from playbook.evidence.record import PhaseRecord
from playbook.figures.outcome_matrix import OutcomeRow, outcome_matrix
from playbook.report.matrix import MatrixRow

__all__ = ["MOST_PICTURES", "Picture", "phase_pictures", "read_pictures"]

MOST_PICTURES = 2
"""Pictures shown per phase; the notebook beside the report has all."""

_LARGEST = 400_000
_START = "data:image/png;base64,"
_PNG = b"\x89PNG\r\n\x1a\n"
_LAST_CHOICE = "outcome-matrix"
"""What every phase can show, and the report's own matrix shows already."""


@dataclass(frozen=True, slots=True)
class Picture:
    """
    A picture as a `data:` address, what a reader who cannot see it is told, and its data.
    """

    name: str
    uri: str
    alt: str
    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def phase_pictures(phase: PhaseRecord, folder: Path, rows: Sequence[MatrixRow]) -> tuple[Picture, ...]:
    """
    Choose the pictures of a phase. Read-only.

    Only a notebook that is the one whose digest the events hold is looked into.
    """
    found = [one for one in _executed(phase, folder) if one.name != _LAST_CHOICE][:MOST_PICTURES]
    return tuple(found) or _drawn(phase, rows)


def read_pictures(notebook: bytes) -> tuple[Picture, ...]:
    """
    Read the pictures of an executed notebook, in order; none from a document that does not read. Read-only.
    """
    try:
        cells = json.loads(notebook)["cells"]
        outputs = [output for cell in cells for output in cell.get("outputs", ())]
        texts = [output["data"]["text/html"] for output in outputs if "text/html" in output.get("data", {})]
    except (ValueError, KeyError, TypeError, AttributeError):
        return ()
    found: list[Picture] = []
    for text in texts:
        reader = _Reader()
        reader.feed("".join(text))
        found += reader.pictures()
    return tuple(found)


def _executed(phase: PhaseRecord, folder: Path) -> Iterator[Picture]:
    path = folder / "notebooks" / f"{phase.notebook}.ipynb"
    if phase.executed_sha256 is None or not path.is_file():
        return
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() == phase.executed_sha256:
        yield from read_pictures(content)


def _drawn(phase: PhaseRecord, rows: Sequence[MatrixRow]) -> tuple[Picture, ...]:
    if not any(cell.kind != "absent" for row in rows for cell in (row.found, row.hardened)):
        return ()
    title = f"Phase {phase.id}: its checks as found, as hardened, and under sabotage"
    figure = outcome_matrix([OutcomeRow(row.check, row.cells) for row in rows], title=title)
    table = figure.table
    return (Picture(figure.name, figure.png_uri, figure.alt, title, table.columns, table.rows),)


@dataclass
class _Reader(HTMLParser):
    """
    Collects figures with a picture and the table that follows each.
    """

    images: list[tuple[str, str, str]] = field(default_factory=list)
    captions: list[str] = field(default_factory=list)
    tables: list[list[list[str]]] = field(default_factory=list)
    _name: str = ""
    _text: list[str] | None = None

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "figure":
            self._name = given.get("data-figure", "")
        elif tag == "img" and _is_png(given.get("src", "")):
            self.images.append((self._name, given["src"], given.get("alt", "")))
            self.captions.append("")
            self.tables.append([])
        elif tag == "tr" and self.tables:
            self.tables[-1].append([])
        elif tag == "br" and self._text is not None:
            self._text.append(", ")
        elif tag in ("th", "td", "caption"):
            self._text = []

    def handle_data(self, data: str) -> None:
        if self._text is not None:
            self._text.append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag not in ("th", "td", "caption") or self._text is None or not self.images:
            return
        words, self._text = "".join(self._text), None
        if tag == "caption":
            self.captions[-1] = words
        elif self.tables[-1]:
            self.tables[-1][-1].append(words)

    def pictures(self) -> Iterator[Picture]:
        """
        Give what was collected.
        """
        for (name, uri, alt), caption, table in zip(self.images, self.captions, self.tables, strict=True):
            head, *body = table or [[]]
            rows = tuple(tuple(row) for row in body if len(row) == len(head))
            yield Picture(name, uri, alt or "A picture without words of its own.", caption or name, tuple(head), rows)


def _is_png(uri: str) -> bool:
    if not uri.startswith(_START) or len(uri) > _LARGEST:
        return False
    try:
        return base64.b64decode(uri.removeprefix(_START), validate=True).startswith(_PNG)
    except (binascii.Error, ValueError):
        return False
