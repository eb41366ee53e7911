"""
Owns the static twin of a widget: an output beside it that holds all that was seen, on disk as on the screen.

Widgets only steer; they vanish from a notebook that is read later, and what they showed must not vanish with them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from IPython.display import display

__all__ = ["Pile", "Twin", "View", "show_controls"]


class View(Protocol):
    """
    Something that a notebook shows.
    """

    def _repr_html_(self) -> str: ...


@dataclass(frozen=True, slots=True, repr=False)
class Pile:
    """
    Views one below another, as one output.
    """

    views: Sequence[View]

    def _repr_html_(self) -> str:
        return "".join(view._repr_html_() for view in self.views)

    def __repr__(self) -> str:
        return "\n\n".join(repr(view) for view in self.views)


class Twin:
    """
    An output of the running cell that later events replace.
    """

    def __init__(self, view: View) -> None:
        self._handle: Any = display(view, display_id=True)  # type: ignore[no-untyped-call]

    def show(self, view: View) -> None:
        """
        Replace what is shown.
        """
        if self._handle is not None:
            self._handle.update(view)


def show_controls(widget: object) -> None:
    """
    Put a widget into the running cell.
    """
    display(widget)  # type: ignore[no-untyped-call]
