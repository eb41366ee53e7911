"""
Owns where notebooks/, env/ and data/ lie, so that one module changes when a wheel carries them.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

__all__ = ["Places", "places"]


@dataclass(frozen=True, slots=True)
class Places:
    """
    The folders of one checkout.
    """

    root: Path

    @property
    def notebooks(self) -> Path:
        return self.root / "notebooks"

    @property
    def env(self) -> Path:
        return self.root / "env"

    @property
    def data(self) -> Path:
        return self.root / "data"

    @property
    def evidence(self) -> Path:
        """Default evidence home."""
        return self.data / "evidence"


def places() -> Places:
    """
    Find the checkout that this package runs from. Read-only.
    """
    return Places(Path(__file__).resolve().parent.parent)
