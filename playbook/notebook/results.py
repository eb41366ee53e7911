"""
Owns results, kill matrix and the three states as tables in a notebook.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from playbook.evidence.result import CheckResult
from playbook.figures.marks import MARKS, Cell
from playbook.figures.outcome_matrix import OutcomeRow, outcome_matrix
from playbook.notebook.figure_view import FigureView
from playbook.notebook.table import Table
from playbook.report.kills import KillLike, SabotageRow, count_pairs, sabotage_rows
from playbook.report.matrix import matrix_of
from playbook.report.wording import count_of, spell_value

__all__ = ["kill_table", "matrix_picture", "matrix_table", "results_table"]

_NAMES = 6
_VALUE_LIMIT = 160
_ORDER = ("fail", "error", "skip", "waived", "pass")


def results_table(results: Sequence[CheckResult]) -> Table:
    """
    Show results, worst first; subjects of a check that say the same stand in one row. Read-only.
    """
    groups: dict[tuple[str, ...], list[CheckResult]] = {}
    for result in results:
        same = (result.id, result.outcome, _compared(result), _why(result))
        groups.setdefault(same, []).append(result)
    ordered = sorted(groups.values(), key=lambda group: _ORDER.index(group[0].outcome))
    rows = [
        (
            f"{group[0].id}\n{group[0].title}",
            _subjects(group),
            Cell(group[0].outcome, MARKS[group[0].outcome].word),
            _compared(group[0]),
            _why(group[0]),
        )
        for group in ordered
    ]
    states = ", ".join(sorted({result.state for result in results}))
    counts = ", ".join(
        f"{number} {outcome}" for outcome in _ORDER if (number := sum(r.outcome == outcome for r in results))
    )
    return Table(
        columns=("check", "subjects", "outcome", "expected, and seen", "reason and remedy"),
        rows=rows,
        caption=f"{states or 'nothing'}: {counts or 'no result'}",
    )


def kill_table(matrix: Iterable[KillLike]) -> Table:
    """
    Show each sabotage, what it took away, and what turned red. Read-only.
    """
    rows = sabotage_rows(matrix)
    tried, every = count_pairs(rows)
    harmless = sum(row.harmless and row.kind != "not_tried" for row in rows)
    return Table(
        columns=("sabotage", "takes away", "result", "checks"),
        rows=[(row.name, f"{row.protection}: {row.mechanism}", _result(row), _checks(row)) for row in rows],
        caption=f"{tried} of {count_of(every, 'sabotage')} tried, {count_of(harmless, 'harmless change')} beside them",
    )


def matrix_table(results: Iterable[CheckResult], kills: Iterable[KillLike]) -> Table:
    """
    Show each check as found, hardened and sabotaged. Read-only.
    """
    rows = matrix_of(results, kills)
    return Table(
        columns=("check", "found →", "hardened →", "sabotaged"),
        rows=[(row.check, *row.cells) for row in rows],
        caption="✖ caught: the check turned red when its protection was taken away, as it must.",
    )


def matrix_picture(results: Iterable[CheckResult], kills: Iterable[KillLike], *, title: str = "Outcomes") -> FigureView:
    """
    Draw each check as found, hardened and sabotaged. Read-only. Raises ValueError when there is no result.
    """
    rows = matrix_of(results, kills)
    return FigureView(outcome_matrix([OutcomeRow(row.check, row.cells) for row in rows], title=title))


def _compared(result: CheckResult) -> str:
    if result.outcome in ("skip", "error") and result.actual is None:
        return ""
    expected = spell_value(result.expected, limit=_VALUE_LIMIT)
    return f"{result.operator} {expected}\nsaw {spell_value(result.actual, limit=_VALUE_LIMIT)}"


def _why(result: CheckResult) -> str:
    told = [f"{result.code}: {result.reason}" if result.code else result.reason or ""]
    if result.outcome in ("fail", "error") and result.remedy:
        told.append(result.remedy)
    return "\n".join(text for text in told if text)


def _subjects(group: Sequence[CheckResult]) -> str:
    names = [result.subject for result in group if result.subject is not None]
    more = f" and {len(names) - _NAMES} more" if len(names) > _NAMES else ""
    return ", ".join(names[:_NAMES]) + more


def _result(row: SabotageRow) -> Cell:
    if row.harmless and row.kind != "not_tried":
        return Cell("pass", "every check survived") if row.as_declared else Cell("error", "false alarm")
    extra = "" if row.as_declared or row.kind != "caught" else ", and more than it names"
    return Cell(row.kind, f"{MARKS[row.kind].word}{extra}")


def _checks(row: SabotageRow) -> str:
    lines = []
    for check, entries in row.checks:
        if check == "*":
            continue
        names = [entry.subject for entry in entries if entry.subject is not None]
        more = f" and {len(names) - _NAMES} more" if len(names) > _NAMES else ""
        lines.append(f"{check} [{', '.join(names[:_NAMES])}{more}]" if names else check)
    reasons = dict.fromkeys(e.reason for e in row.entries if e.reason and (e.result != "killed" or not e.declared))
    return "\n".join([*lines, *reasons])
