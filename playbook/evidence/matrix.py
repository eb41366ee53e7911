"""
Owns what the kill matrix means for a run: which checks are shown to be able to fail, and which are not (DESIGN §9).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from playbook.evidence.chain import Entry
from playbook.evidence.events import KillTried
from playbook.evidence.outcome import Code
from playbook.evidence.record import KillRow, Problem
from playbook.evidence.result import CheckResult, Control

__all__ = ["control_of", "fold_matrix", "matrix_problems", "weaken"]

_WORST = ("survived", "void", "killed", "not_tried")


def fold_matrix(entries: Iterable[Entry], *, keep_worst: bool) -> tuple[KillRow, ...]:
    """
    Give one row per (sabotage, check, subject, declared): the worst of a batch run.

    By hand, trying a sabotage again replaces all its rows: a stray red that is gone leaves nothing behind.
    """
    rows: dict[tuple[str, str, str | None, bool], KillRow] = {}
    trying: str | None = None
    for entry in entries:
        event = entry.event
        if not isinstance(event, KillTried):
            trying = None
            continue
        row = KillRow.model_validate(event.model_dump(exclude={"type"}))
        key = (row.sabotage, row.check, row.subject, row.declared)
        before = rows.get(key)
        if not keep_worst and (row.sabotage != trying or before):
            rows = {known: old for known, old in rows.items() if known[0] != row.sabotage}
        trying = row.sabotage
        if before is None or not keep_worst or _WORST.index(row.result) <= _WORST.index(before.result):
            rows[key] = row
    return tuple(rows.values())


def control_of(result: CheckResult, rows: Sequence[KillRow]) -> Control:
    """
    Say which sabotages turned the check red: on this subject if there were any, else on another.
    """
    killed = [row for row in rows if row.check == result.id and row.result == "killed" and row.declared]
    own = [row for row in killed if row.subject == result.subject] or killed
    names = tuple(sorted({row.sabotage for row in own}))
    return Control(status="killed", killed_by=names) if names else Control(status="not_tried")


def weaken(result: CheckResult, rows: Sequence[KillRow]) -> CheckResult:
    """
    Turn a pass into an error when a sabotage that should have turned it red did not, or proved nothing.
    """
    if result.outcome != "pass":
        return result
    for row in _against(rows):
        if row.check == result.id and row.subject in (None, result.subject):
            code: Code = "cannot_fail" if row.result == "survived" else "void"
            what = "left it green" if row.result == "survived" else "proved nothing"
            reason = f"sabotage {row.sabotage} {what}" + (f": {row.reason}" if row.reason else "")
            return result.model_copy(update={"outcome": "error", "code": code, "reason": reason})
    return result


def matrix_problems(rows: Sequence[KillRow], counted: Sequence[CheckResult]) -> list[Problem]:
    """
    Name what the matrix holds against the run and no result can carry: undeclared reds, and rows without a result.
    """
    carried = {(result.id, subject) for result in counted for subject in (None, result.subject)}
    problems = []
    for row in rows:
        if row.result == "killed" and not row.declared:
            problems.append(_problem(row, "void", f"sabotage {row.sabotage} turned {_at(row)} red, which nobody named"))
        elif row.result == "void" and (not row.declared or row.harmless):
            problems.append(_problem(row, "void", f"sabotage {row.sabotage} proved nothing on {_at(row)}"))
    for row in _against(rows):
        if (row.check, row.subject) not in carried:
            code: Code = "cannot_fail" if row.result == "survived" else "void"
            problems.append(
                _problem(row, code, f"sabotage {row.sabotage} {row.result} on {_at(row)}, without a result")
            )
    return problems


def _against(rows: Sequence[KillRow]) -> list[KillRow]:
    return [row for row in rows if row.result in ("survived", "void") and row.declared and not row.harmless]


def _at(row: KillRow) -> str:
    return row.check + (f"[{row.subject}]" if row.subject else "")


def _problem(row: KillRow, code: Code, message: str) -> Problem:
    text = message + (f": {row.reason}" if row.reason else "")
    return Problem(
        code=code, message=text, phase=row.phase, check=row.check, subject=row.subject, sabotage=row.sabotage
    )
