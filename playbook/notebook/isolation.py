"""
Owns how isolation is shown in a notebook: relations by operation and routes by attack, in the three states.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from playbook.evidence.result import CheckResult
from playbook.figures.heat_map import HeatRow, heat_map
from playbook.figures.marks import Kind
from playbook.notebook.figure_view import FigureView
from playbook.report.kills import KillLike

__all__ = ["relations_picture", "routes_picture"]

RELATIONS: Mapping[str, str] = {
    "rows.read.cross-tenant-denied": "read",
    "rows.view.own-only": "view",
    "rows.insert.cross-tenant-denied": "insert",
    "rows.update.cross-tenant-denied": "update",
    "rows.move.cross-tenant-denied": "move",
    "rows.delete.cross-tenant-denied": "delete",
    "rows.reference.cross-tenant-denied": "refer",
    "context.unset.closed": "no tenant",
    "context.empty.closed": "empty",
    "context.malformed.closed": "malformed",
}
ROUTES: Mapping[str, str] = {
    "http.object.foreign-not-found": "path",
    "http.query.foreign-not-found": "query",
    "http.parent.foreign-not-found": "body",
    "http.header.ignored": "header",
    "http.list.own-only": "list",
    "http.mark.own-only": "response",
    "http.tenant.required": "no tenant",
    "http.error.hides-internals": "error",
    "http.validation.hides-input": "bad input",
}
STATES = ("found", "hardened", "sabotaged")


def relations_picture(results: Iterable[CheckResult], kills: Iterable[KillLike]) -> FigureView:
    """
    Draw every relation by what another tenant, or none, tried on it. Raises ValueError when nothing was asked.
    """
    return _picture(results, kills, RELATIONS, title="Relations by attempt", name="isolation-relations")


def routes_picture(results: Iterable[CheckResult], kills: Iterable[KillLike]) -> FigureView:
    """
    Draw every operation by where a foreign identifier stood. Raises ValueError when nothing was asked.
    """
    return _picture(results, kills, ROUTES, title="Operations by attack", name="isolation-routes")


def _picture(
    results: Iterable[CheckResult], kills: Iterable[KillLike], questions: Mapping[str, str], *, title: str, name: str
) -> FigureView:
    seen: dict[tuple[str, str, str], Kind] = {
        (one.state, one.id, one.subject): one.outcome
        for one in results
        if one.subject is not None and one.id in questions and one.state in STATES
    }
    killed = {(kill.check, kill.subject) for kill in kills if kill.result == "killed" and kill.declared}
    subjects = sorted({subject for _, _, subject in seen}, key=lambda text: text.split(" ")[::-1])

    def sign(state: str, check: str, subject: str) -> Kind:
        if state != "sabotaged":
            return seen.get((state, check, subject), "absent")
        asked = any((one, check, subject) in seen for one in STATES)
        return "absent" if not asked else "caught" if (check, subject) in killed else "not_tried"

    rows = [
        HeatRow(subject, tuple(tuple(sign(state, check, subject) for check in questions) for state in STATES))
        for subject in subjects
    ]
    return FigureView(heat_map(rows, questions=[*questions.values()], states=STATES, title=title, name=name))
