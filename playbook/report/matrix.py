"""
Owns the matrix that every display shows: each check as found, as hardened, and under its sabotages.

It computes from results and kill entries alone, so that a notebook, a terminal and a report say the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from playbook.evidence.outcome import Outcome
from playbook.evidence.result import CheckResult
from playbook.figures.marks import MARKS, Cell, Kind
from playbook.report.kills import KillLike, Trials, trials_of

__all__ = ["MatrixRow", "SubjectRow", "matrix_of", "state_cell"]

_ABSENT = Cell("absent", "not run")
_ORDER: tuple[Outcome, ...] = ("fail", "error", "pass", "waived", "skip")
"""Worst first; a skip and a waiver decide a cell only when nothing else was seen."""


@dataclass(frozen=True, slots=True)
class SubjectRow:
    """
    One subject of a check, with its result per state where there is one.
    """

    subject: str
    found: CheckResult | None
    hardened: CheckResult | None
    killed_by: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MatrixRow:
    """
    One check. `false_alarms` are harmless changes that it did not survive, or sabotages that do not name it.
    """

    check: str
    title: str
    phase: str
    severity: str
    found: Cell
    hardened: Cell
    sabotaged: Cell
    subjects: tuple[SubjectRow, ...]
    false_alarms: tuple[str, ...] = ()

    @property
    def cells(self) -> tuple[Cell, Cell, Cell]:
        """
        Found, hardened, sabotaged.
        """
        return (self.found, self.hardened, self.sabotaged)


def matrix_of(
    results: Iterable[CheckResult], kills: Iterable[KillLike], *, planned: Mapping[str, Sequence[str]] | None = None
) -> tuple[MatrixRow, ...]:
    """
    Fold results and kills into one row per check, ordered by phase, then as first reported. Read-only.

    `planned` maps phases to the checks that they own: one that reported nothing gets a row that says so.
    """
    by_check: dict[str, list[CheckResult]] = {}
    phases: dict[str, str] = {}
    for result in results:
        by_check.setdefault(result.id, []).append(result)
        phases.setdefault(result.id, result.phase)
    for phase, checks in (planned or {}).items():
        for check in checks:
            by_check.setdefault(check, [])
            phases.setdefault(check, phase)
    trials = trials_of(kills)
    rows = [_row(check, phases[check], seen, trials.get(check, Trials())) for check, seen in by_check.items()]
    return tuple(sorted(rows, key=lambda row: row.phase))


def state_cell(results: Sequence[CheckResult]) -> Cell:
    """
    Fold the results of one check in one state: the worst of its subjects, with how many of them.
    """
    if not results:
        return _ABSENT
    worst: dict[str | None, Outcome] = {}
    for result in results:
        before = worst.get(result.subject, result.outcome)
        worst[result.subject] = min(before, result.outcome, key=_ORDER.index)
    counts = Counter(worst.values())
    kind = min(counts, key=_ORDER.index)
    if set(worst) == {None}:
        return Cell(kind, MARKS[kind].word)
    others = [f"{counts[other]} {other}" for other in _ORDER if other not in (kind, "pass") and counts[other]]
    words = f"{MARKS[kind].word} {counts[kind]} of {len(worst)}"
    return Cell(kind, f"{words}, {', '.join(others)}" if others else words)


def _row(check: str, phase: str, results: Sequence[CheckResult], trials: Trials) -> MatrixRow:
    found = [r for r in results if r.state == "found"]
    hardened = [r for r in results if r.state == "hardened"]
    first = results[0] if results else None
    return MatrixRow(
        check=check,
        title=first.title if first else "planned, but it reported nothing",
        phase=phase,
        severity=first.severity if first else "",
        found=state_cell(found),
        hardened=state_cell(hardened),
        sabotaged=_sabotaged_cell(trials, [*hardened, *found]),
        subjects=_subjects(found, hardened, trials),
        false_alarms=trials.false_alarms,
    )


def _sabotaged_cell(trials: Trials, results: Sequence[CheckResult]) -> Cell:
    if not trials.pairs:
        cited = next((r.control for r in results if r.control and r.control.status == "reference"), None)
        return Cell("not_tried", "on the reference service only" if cited else "not tried: no sabotage ran")
    told: Counter[Kind] = Counter(trials.pairs.values())
    tried = len(trials.pairs) - told["not_tried"]
    if not tried:
        return Cell("not_tried", f"not tried, {told['not_tried']} left out")
    kind: Kind = "void" if told["void"] else "survived" if told["survived"] else "caught"
    words = [f"{told['caught']} of {tried} caught"]
    words += [f"{told[other]} {MARKS[other].word}" for other in ("survived", "void", "not_tried") if told[other]]
    return Cell(kind, ", ".join(words))


def _subjects(found: Sequence[CheckResult], hardened: Sequence[CheckResult], trials: Trials) -> tuple[SubjectRow, ...]:
    names = dict.fromkeys(r.subject for r in (*found, *hardened))
    return tuple(
        SubjectRow(
            subject=name or "(the whole)",
            found=_last(found, name),
            hardened=_last(hardened, name),
            killed_by=trials.killed_by.get(name, ()),
        )
        for name in names
    )


def _last(results: Sequence[CheckResult], subject: str | None) -> CheckResult | None:
    seen = [r for r in results if r.subject == subject]
    return min(reversed(seen), key=lambda r: _ORDER.index(r.outcome)) if seen else None
