"""
Owns the form of run.json: what a run was, what it found, and why it ended as it did (CONTRACTS §3).
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import ConfigDict, Field

from playbook.evidence.checkout import Checkout
from playbook.evidence.events import CellStatus, Mode, Part, PhaseId, Previous, RunId, Runner, Sha256, Waiver
from playbook.evidence.outcome import Code, Outcome
from playbook.evidence.result import CheckResult, Frozen, Json, Slug

__all__ = ["ChainHead", "Fingerprint", "KillRow", "PhaseRecord", "Problem", "RunRecord"]


class Fingerprint(Checkout):
    """
    Sources, lock, Python, packages and platform of the checkout, and the parts of the stack.
    """

    parts: dict[str, Part] = Field(default_factory=dict)


class KillRow(Frozen):
    """
    One cell of the kill matrix.
    """

    phase: PhaseId
    sabotage: str
    protection: str
    mechanism: str
    check: str
    subject: str | None
    result: Literal["killed", "survived", "void", "not_tried"]
    declared: bool
    harmless: bool
    reason: str | None


class Problem(Frozen):
    """
    Why a phase or the run is an error although no single result says so.
    """

    code: Code
    message: str
    phase: PhaseId | None = None
    check: str | None = None
    subject: str | None = None
    sabotage: str | None = None


class PhaseRecord(Frozen):
    """
    One phase. `checks` holds the results of all states; only those that the mode counts made the outcome.
    """

    id: PhaseId
    notebook: str
    mode: Mode
    outcome: Outcome
    code: Code | None = None
    reason: str | None = None
    checks: tuple[CheckResult, ...] = ()
    cells: tuple[CellStatus, ...] = ()
    parameters: dict[str, Json] = Field(default_factory=dict)
    edited: bool = False
    source_sha256: Sha256 | None = None
    executed_sha256: Sha256 | None = None
    duration_s: float = Field(default=0, ge=0, allow_inf_nan=False)

    @property
    def counted(self) -> tuple[CheckResult, ...]:
        """
        The results that make the outcome: `hardened` in mode harden, `found` in mode audit.
        """
        state = "hardened" if self.mode == "harden" else "found"
        return tuple(result for result in self.checks if result.state == state)


class ChainHead(Frozen):
    """
    How many events the run has, and the hash of the last: what a signature has to cover.
    """

    events: int = Field(ge=1)
    head: Sha256


class RunRecord(Frozen):
    """
    A run as run.json tells it. It holds nothing that does not follow from the events.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", serialize_by_alias=True, validate_by_name=True)

    schema_id: Literal["hardening-playbook/run/1"] = Field(alias="schema")
    run_id: RunId
    scenario: str
    runner: Runner
    profile: str | None
    outcome: Outcome
    code: Code | None
    started: datetime
    ended: datetime | None
    actor: str
    seed: int | None
    parameters: dict[str, Json]
    target: str
    target_sha256: Sha256 | None
    stack: str | None
    backend: str | None
    fingerprint: Fingerprint
    require: tuple[Slug, ...]
    waivers: tuple[Waiver, ...]
    phases: tuple[PhaseRecord, ...]
    kill_matrix: tuple[KillRow, ...]
    not_covered: tuple[str, ...]
    problems: tuple[Problem, ...]
    leftovers: tuple[str, ...]
    previous: Previous | None
    chain: ChainHead

    @property
    def results(self) -> tuple[CheckResult, ...]:
        """
        All results of all phases and states.
        """
        return tuple(result for phase in self.phases for result in phase.checks)
