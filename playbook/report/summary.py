"""
Owns the table that ends a run: each phase with its outcome, what it found, what it reached, and how long it took.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from playbook.evidence.outcome import Outcome
from playbook.evidence.record import PhaseRecord, RunRecord
from playbook.evidence.result import CheckResult
from playbook.figures.marks import MARKS, Cell, Kind
from playbook.report.kills import pair_kinds, sabotage_rows
from playbook.report.wording import spell_duration

__all__ = ["SUMMARY_HEAD", "SummaryRow", "summary_rows"]

SUMMARY_HEAD = ("phase", "outcome", "found →", "hardened →", "sabotages", "took")
_WORST: tuple[Outcome, ...] = ("fail", "error", "pass", "waived", "skip")
_TRIALS: tuple[Kind, ...] = ("void", "survived", "caught", "not_tried")
SummaryRow = tuple[str, Cell, Cell, Cell, Cell, str]


def summary_rows(record: RunRecord) -> tuple[SummaryRow, ...]:
    """
    Sum each phase up. Read-only.
    """
    return tuple(_row(record, phase) for phase in record.phases)


def _row(record: RunRecord, phase: PhaseRecord) -> SummaryRow:
    title = f"{phase.id} {phase.notebook.partition('_')[2].replace('_', ' ')}"
    found = [result for result in phase.checks if result.state == "found"]
    hardened = [result for result in phase.checks if result.state == "hardened"]
    outcome = Cell(phase.outcome, MARKS[phase.outcome].word)
    return (title, outcome, _state(found), _state(hardened), _tried(record, phase), spell_duration(phase.duration_s))


def _state(results: Sequence[CheckResult]) -> Cell:
    if not results:
        return Cell("absent", MARKS["absent"].word)
    counts = Counter(result.outcome for result in results)
    kind = min(counts, key=_WORST.index)
    return Cell(kind, f"{counts[kind]} of {len(results)} {MARKS[kind].word}")


def _tried(record: RunRecord, phase: PhaseRecord) -> Cell:
    """
    Count distinct pairs of protection and mechanism, as the verdict does.
    """
    pairs = pair_kinds(sabotage_rows(row for row in record.kill_matrix if row.phase == phase.id))
    kinds = Counter(pairs.values())
    tried = len(pairs) - kinds["not_tried"]
    if not tried:
        return Cell("not_tried", MARKS["not_tried"].word)
    left = f", {kinds['not_tried']} not tried" if kinds["not_tried"] else ""
    return Cell(min(kinds, key=_TRIALS.index), f"{kinds['caught']} of {tried} caught{left}")
