"""
Owns what a report says of each result that counts and did not pass: what was seen, why it matters, what to do.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from playbook.evidence.outcome import Outcome
from playbook.evidence.record import RunRecord
from playbook.evidence.result import CheckResult, Observation
from playbook.report.wording import plain, spell_value

__all__ = ["BAD", "SeenRow", "Trouble", "spell_seen", "troubles_of"]

BAD: tuple[Outcome, ...] = ("fail", "error")
_SEVERITIES = ("critical", "high", "medium", "low", "info")


@dataclass(frozen=True, slots=True)
class SeenRow:
    """
    One observation, spelt.
    """

    role: str
    asked: str
    value: str
    unit: str


@dataclass(frozen=True, slots=True)
class Trouble:
    """
    A result that counts and did not pass, with all that helps to mend it.
    """

    result: CheckResult
    expected: str
    actual: str
    why: str
    seen: tuple[SeenRow, ...]


def troubles_of(record: RunRecord, whys: Mapping[str, str]) -> tuple[Trouble, ...]:
    """
    Collect them, the gravest first. Read-only.
    """
    bad = [result for phase in record.phases for result in phase.counted if result.outcome in BAD]
    bad.sort(key=lambda r: (BAD.index(r.outcome), _SEVERITIES.index(r.severity), r.phase, r.id, r.subject or ""))
    return tuple(
        Trouble(
            result=result,
            expected=spell_value(result.expected),
            actual=spell_value(result.actual),
            why=whys.get(result.id, ""),
            seen=tuple(spell_seen(seen) for seen in result.observations),
        )
        for result in bad
    )


def spell_seen(seen: Observation) -> SeenRow:
    """
    Spell one observation.
    """
    value = spell_value(seen.value) if seen.attachment is None else f"see {plain(seen.attachment)}"
    return SeenRow(
        role=plain(seen.role or ""),
        asked=plain(seen.request or seen.query or ""),
        value=value,
        unit=plain(seen.unit or ""),
    )
