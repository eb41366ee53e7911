"""
Owns what history and due dates look at of each run: short enough to hold a year of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from playbook.evidence.outcome import Code, Outcome
from playbook.evidence.record import RunRecord

__all__ = ["Held", "held_of"]

_WORST: tuple[Outcome, ...] = ("fail", "error", "pass", "waived", "skip")


@dataclass(frozen=True, slots=True)
class Held:
    """
    One run. `dirty` is true for changed sources or an edited notebook; `signers` are allowed ones.

    `refused` says why its evidence is not to be believed, null when it verifies. `checks` gives each check's worst
    outcome over its subjects, `durations_s` what they took together.
    """

    run_id: str
    scenario: str
    target: str
    runner: str
    profile: str | None
    started: datetime
    duration_s: float | None
    outcome: Outcome
    code: Code | None
    dirty: bool
    phases: tuple[str, ...]
    without: tuple[str, ...] = ()
    signers: tuple[str, ...] = ()
    refused: str | None = None
    checks: Mapping[str, Outcome] = field(default_factory=dict)
    durations_s: Mapping[str, float] = field(default_factory=dict)


def held_of(record: RunRecord, *, signers: Sequence[str] = (), refused: str | None = None) -> Held:
    """
    Take of a run what its history needs. Read-only.
    """
    checks: dict[str, Outcome] = {}
    durations: dict[str, float] = {}
    for phase in record.phases:
        for result in phase.counted:
            before = checks.get(result.id, result.outcome)
            checks[result.id] = min(before, result.outcome, key=_WORST.index)
            durations[result.id] = durations.get(result.id, 0.0) + result.duration_s
    without = record.parameters.get("without")
    return Held(
        run_id=record.run_id,
        scenario=record.scenario,
        target=record.target,
        runner=record.runner,
        profile=record.profile,
        started=record.started,
        duration_s=(record.ended - record.started).total_seconds() if record.ended else None,
        outcome=record.outcome,
        code=record.code,
        dirty=record.fingerprint.dirty is True or any(phase.edited for phase in record.phases),
        phases=tuple(phase.id for phase in record.phases if phase.outcome != "skip"),
        without=tuple(str(name) for name in without) if isinstance(without, list) else (),
        signers=tuple(signers),
        refused=refused,
        checks=checks,
        durations_s=durations,
    )
