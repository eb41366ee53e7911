"""
Owns how long a run takes, told by the last ones that were alike: each phase's seconds, and what lies around them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from playbook.evidence.folder import list_runs

__all__ = ["Pace", "read_pace"]

_MOST_RUNS = 12


@dataclass(frozen=True, slots=True)
class Pace:
    """
    Seconds by phase as last time, and seconds for the stack and the closing. Empty when no run was alike.
    """

    phases: Mapping[str, float] = field(default_factory=dict)
    around_s: float = 0.0

    def total_s(self, phases: Sequence[str]) -> float | None:
        """
        Say how long a run of these phases should take; None when one of them never ran.
        """
        if not phases or not set(phases) <= set(self.phases):
            return None
        return self.around_s + sum(self.phases[phase] for phase in phases)


class _Past(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    class Phase(BaseModel):
        """
        One phase of a past run.
        """

        model_config = ConfigDict(frozen=True, extra="ignore")
        id: str
        outcome: str
        duration_s: float

    scenario: str
    profile: str | None
    backend: str | None
    code: str | None
    started: datetime
    ended: datetime | None
    phases: tuple[Phase, ...]


def read_pace(home: Path, *, scenario: str, profile: str | None, backend: str) -> Pace:
    """
    Read the last runs of this scenario, profile and backend; the newest that ran a phase tells its time. Read-only.

    A run that does not read is passed over: this only tells time.
    """
    seconds: dict[str, float] = {}
    around: float | None = None
    for folder in list_runs(home)[: -_MOST_RUNS - 1 : -1]:
        past = _read(folder.record)
        if past is None or past.code == "interrupted":
            continue
        if (past.scenario, past.profile, past.backend) != (scenario, profile, backend):
            continue
        ran = {one.id: one.duration_s for one in past.phases if one.outcome != "skip"}
        if around is None and past.ended is not None:
            around = max(0.0, (past.ended - past.started).total_seconds() - sum(ran.values()))
        seconds = ran | seconds
    return Pace(seconds, around or 0.0)


def _read(path: Path) -> _Past | None:
    try:
        return _Past.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return None
