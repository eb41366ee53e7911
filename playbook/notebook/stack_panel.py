"""
Owns the panel of a stack: what runs where, and what it answers at this moment.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import datetime

import httpx

from playbook.errors import PlaybookError
from playbook.figures.marks import Cell
from playbook.notebook.table import Table
from playbook.notebook.twin import Twin, show_controls
from playbook.run.session import Session
from playbook.stack.protocol import State

__all__ = ["look_at_stack", "stack_panel"]

STATES: tuple[State, ...] = ("found", "hardened")
_WAIT_S = 2.0
_EVERY_S = 2.0


def stack_panel(session: Session) -> Table | None:
    """
    Show what the stack's services answer. A person in Jupyter can let it look again and again.
    """
    if not session.live:
        return look_at_stack(session)
    _Controls(session).show()
    return None


def look_at_stack(session: Session) -> Table:
    """
    Ask each state's service whether it lives and is ready. Read-only.
    """
    rows = [row for state in STATES for row in _rows(session, state)]
    at = datetime.now().astimezone().strftime("%H:%M:%S")
    return Table(("state", "address", "asked", "answer"), rows, caption=f"stack {session.stack.name}, at {at}")


def _rows(session: Session, state: State) -> Iterator[tuple[str, str, str, Cell]]:
    source = session.target.service.found.source if session.target.service else None
    if source is None:
        return
    try:
        address = session.stack.endpoints(state).url("app")
    except PlaybookError as err:
        yield state, "", "", Cell("skip", err.message)
        return
    for path in dict.fromkeys((source.live, source.ready, source.version_path)):
        if path:
            yield state, address, f"GET {path}", _answer(f"{address}{path}")


def _answer(url: str) -> Cell:
    begun = time.monotonic()
    try:
        status = httpx.get(url, timeout=_WAIT_S).status_code
    except httpx.HTTPError as err:
        return Cell("fail", f"{type(err).__name__}")
    words = f"{status}, {(time.monotonic() - begun) * 1000:.0f} ms"
    return Cell("pass" if status == httpx.codes.OK else "fail", words)


class _Controls:
    """
    *Look again*, and a switch that looks every other second until it is turned off or the cell is run again.
    """

    def __init__(self, session: Session) -> None:
        import ipywidgets as widgets  # noqa: PLC0415 (only where a person sits before it)

        self._session = session
        self._stop = threading.Event()
        self._again = widgets.Button(description="look again")
        self._live = widgets.ToggleButton(description="live", tooltip="look every other second")
        self._again.on_click(self._look)
        self._live.observe(self._switched, names="value")
        self._box = widgets.HBox([self._again, self._live])

    def show(self) -> None:
        """
        Put the controls and the panel into the running cell.
        """
        show_controls(self._box)
        self._twin = Twin(look_at_stack(self._session))

    def _look(self, _button: object = None) -> None:
        self._twin.show(look_at_stack(self._session))

    def _switched(self, change: dict[str, object]) -> None:
        self._stop.set()
        if change["new"]:
            self._stop = threading.Event()
            threading.Thread(target=self._watch, args=(self._stop,), daemon=True, name="stack-panel").start()

    def _watch(self, stop: threading.Event) -> None:
        while not stop.wait(_EVERY_S):
            self._look()
