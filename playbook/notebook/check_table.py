"""
Owns the table of results that a person can filter, and from which one check can be asked again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from playbook.evidence.result import CheckResult
from playbook.notebook.results import results_table
from playbook.notebook.table import Table
from playbook.notebook.twin import Twin, show_controls
from playbook.run.session import Session
from playbook.stack.protocol import State

__all__ = ["check_table", "filtered"]

ALL = "all outcomes"


def check_table(session: Session, results: Sequence[CheckResult]) -> Table | None:
    """
    Show results of one state. A person in Jupyter also gets a filter, and a button that asks one check again.
    """
    if not session.live or not results:
        return results_table(results)
    _Controls(session, results).show()
    return None


def filtered(results: Sequence[CheckResult], *, words: str = "", outcome: str = ALL) -> list[CheckResult]:
    """
    Choose the results of an outcome in which every word occurs: in id, title, subject or reason. Read-only.
    """
    wanted = words.lower().split()

    def told(one: CheckResult) -> str:
        return " ".join((one.id, one.title, one.subject or "", one.reason or "")).lower()

    return [one for one in results if outcome in (ALL, one.outcome) and all(word in told(one) for word in wanted)]


class _Controls:
    """
    The widgets above the table, and what they do to it.
    """

    def __init__(self, session: Session, results: Sequence[CheckResult]) -> None:
        import ipywidgets as widgets  # noqa: PLC0415 (only where a person sits before it)

        self._session = session
        self._results = list(results)
        self._state = cast("State", results[0].state)
        self._words = widgets.Text(placeholder="filter: words of id, title, subject, reason", description="show")
        self._outcome = widgets.Dropdown(options=[ALL, "fail", "error", "skip", "waived", "pass"])
        self._check = widgets.Dropdown(options=sorted({one.id for one in results}), description="check")
        self._rerun = widgets.Button(description="rerun one", tooltip=f"ask this check of {self._state} again")
        self._told = widgets.Label()
        for one in (self._words, self._outcome):
            one.observe(self._draw, names="value")
        self._rerun.on_click(self._ask)
        self._box = widgets.HBox([self._words, self._outcome, self._check, self._rerun, self._told])

    def show(self) -> None:
        """
        Put the controls and the table into the running cell.
        """
        show_controls(self._box)
        self._twin = Twin(results_table(self._results))

    def _draw(self, _change: object = None) -> None:
        chosen = filtered(self._results, words=self._words.value, outcome=self._outcome.value)
        self._twin.show(results_table(chosen))

    def _ask(self, _button: object) -> None:
        name = self._check.value
        self._rerun.disabled, self._told.value = True, f"asking {name} of {self._state} …"
        try:
            fresh = self._session.observe(self._state, only=name)
        finally:
            self._rerun.disabled, self._told.value = False, ""
        self._results = [one for one in self._results if one.id != name] + fresh
        self._told.value = f"{name} was asked again: {', '.join(sorted({one.outcome for one in fresh}))}"
        self._draw()
