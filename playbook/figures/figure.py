"""
Owns Figure: a picture that never comes without its alt text and its data as a table.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass

__all__ = ["Figure", "FigureTable"]


@dataclass(frozen=True, slots=True)
class FigureTable:
    """
    The data of a figure, to be shown below it.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Figure:
    """
    A picture, what a reader who cannot see it is told, and its data.
    """

    name: str
    title: str
    png: bytes
    alt: str
    table: FigureTable

    @property
    def png_uri(self) -> str:
        """
        The picture as a `data:` address, for documents that may load nothing.
        """
        return f"data:image/png;base64,{base64.b64encode(self.png).decode('ascii')}"
