"""
Owns the report's one picture: the run at a glance, as found, as hardened, and under sabotage.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from playbook.figures.figure import Figure
from playbook.figures.marks import Kind
from playbook.figures.outcome_counts import CountedBar, outcome_counts
from playbook.report.kills import KillLike, pair_kinds, sabotage_rows
from playbook.report.matrix import MatrixRow

__all__ = ["glance_of"]

_STATES: tuple[Kind, ...] = ("fail", "error", "pass", "waived", "skip", "absent")
_TRIALS: tuple[Kind, ...] = ("void", "survived", "caught", "not_tried")


def glance_of(rows: Sequence[MatrixRow], kills: Iterable[KillLike]) -> Figure | None:
    """
    Draw checks by outcome in each state, and sabotages by what became of them; None when nothing ran.
    """
    if not any(cell.kind != "absent" for row in rows for cell in (row.found, row.hardened)):
        return None
    bars = [
        CountedBar("checks, found", _ordered(Counter(row.found.kind for row in rows), _STATES)),
        CountedBar("checks, hardened", _ordered(Counter(row.hardened.kind for row in rows), _STATES)),
    ]
    tried = Counter(pair_kinds(sabotage_rows(kills)).values())
    if tried:
        bars.append(CountedBar("sabotages", _ordered(tried, _TRIALS)))
    return outcome_counts(bars, unit="checks or sabotages")


def _ordered(counts: Counter[Kind], order: Sequence[Kind]) -> dict[Kind, int]:
    return {kind: counts[kind] for kind in order if counts[kind]}
