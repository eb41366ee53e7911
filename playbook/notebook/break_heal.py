"""
Owns the buttons that break one protection of a throw-away copy and heal it again, so that a person sees a check turn.
"""

from __future__ import annotations

import atexit
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Literal

from playbook.errors import PlaybookError
from playbook.evidence.outcome import Outcome
from playbook.evidence.result import CheckResult
from playbook.notebook.card import VerdictView
from playbook.notebook.results import results_table
from playbook.notebook.table import Table
from playbook.notebook.twin import Pile, Twin, View, show_controls
from playbook.proof.apply import NotApplied, NotHealed
from playbook.proof.breakage import Breakage
from playbook.proof.sabotage import Sabotage
from playbook.run.session import Session

__all__ = ["break_it", "faults_table"]

_HELD = ExitStack()
"""What this kernel holds broken: running the cell again, or ending the kernel, destroys it."""

atexit.register(_HELD.close)


def break_it(session: Session) -> Table | None:
    """
    Show which fault must turn which checks red. A person in Jupyter can bring one in, and take it out again.

    Works on a throw-away copy of `hardened`; what it shows is noted in the evidence and decides nothing.
    """
    _HELD.close()
    faults = [one for one in session.phase.sabotages if not one.harmless]
    if not session.live or session.mode == "audit" or not faults:
        return faults_table(faults)
    _Controls(session, faults).show()
    return None


def faults_table(faults: Sequence[Sabotage]) -> Table:
    """
    Show each fault: what it takes away, and what must turn red.
    """
    rows = [(f"{one.name}\n{one.title}", f"{one.protection}: {one.mechanism}", "\n".join(one.kills)) for one in faults]
    return Table(("fault", "takes away", "must turn red"), rows, caption="Each is brought into a throw-away copy")


class _Controls:
    """
    The fault to choose, *break it*, *heal it*, and what they show below.
    """

    def __init__(self, session: Session, faults: Sequence[Sabotage]) -> None:
        import ipywidgets as widgets  # noqa: PLC0415 (only where a person sits before it)

        self._session = session
        self._faults = faults
        self._breakage: Breakage | None = None
        self._fault = widgets.Dropdown(options=[one.name for one in faults], description="fault")
        self._break = widgets.Button(description="break it", button_style="danger")
        self._heal = widgets.Button(description="heal it", button_style="success", disabled=True)
        self._told = widgets.Label()
        self._break.on_click(self._on_break)
        self._heal.on_click(self._on_heal)
        self._box = widgets.HBox([self._fault, self._break, self._heal, self._told])

    def show(self) -> None:
        """
        Put the controls and the table of faults into the running cell.
        """
        show_controls(self._box)
        self._twin = Twin(faults_table(self._faults))

    def _on_break(self, _button: object) -> None:
        sabotage = next(one for one in self._faults if one.name == self._fault.value)
        breakage = Breakage(self._session.trial(), sabotage)
        seen = self._worked(f"breaking a copy: {sabotage.title} …", breakage.apply_fault)
        if seen is None:
            return
        self._breakage = breakage
        _HELD.callback(breakage.close)
        self._fault.disabled = self._break.disabled = True
        self._heal.disabled = False
        self._tell(f"broken: {sabotage.title}", seen, wanted="fail")

    def _on_heal(self, _button: object) -> None:
        assert self._breakage is not None
        breakage, self._breakage = self._breakage, None
        seen = self._worked("healing it …", breakage.heal_fault)
        self._fault.disabled = self._break.disabled = False
        self._heal.disabled = True
        if seen is not None:
            self._tell(f"healed: {breakage.sabotage.title} no longer holds", seen, wanted="pass")

    def _worked(self, told: str, work: Callable[[], list[CheckResult]]) -> list[CheckResult] | None:
        """
        Do it with the buttons held; what could not be brought in is shown as void.
        """
        before = (self._break.disabled, self._heal.disabled)
        self._break.disabled = self._heal.disabled = True
        self._told.value = told
        try:
            return work()
        except (NotApplied, NotHealed, PlaybookError) as err:
            self._twin.show(VerdictView("error", f"void: {err}"))
            return None
        finally:
            self._break.disabled, self._heal.disabled = before
            self._told.value = ""

    def _tell(self, title: str, seen: Sequence[CheckResult], *, wanted: Literal["pass", "fail"]) -> None:
        """
        Show and note what the named checks said: the worst of each, where a fault names some of its subjects only.
        """
        outcomes: dict[str, set[str]] = {}
        for one in seen:
            outcomes.setdefault(one.id, set()).add(one.outcome)
        bad = {check: found & {"fail", "error"} for check, found in outcomes.items()}
        as_wanted = all("fail" in found for found in bad.values()) if wanted == "fail" else not any(bad.values())
        turned = "red" if wanted == "fail" else "green"
        words = f"{title}. The checks that it names are {turned if as_wanted else f'NOT {turned}, as they should be'}"
        outcome: Outcome = wanted if as_wanted else "error"
        views: list[View] = [VerdictView(outcome, words), results_table(seen)]
        self._twin.show(Pile(views))
        self._session.note(f"by hand: {words}")
