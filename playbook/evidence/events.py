"""
Owns the kinds of events that a run consists of; everything else in a run folder is computed from them.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter, field_validator

from playbook.evidence.checkout import Checkout
from playbook.evidence.outcome import Code
from playbook.evidence.result import CheckResult, Frozen, Json, Slug

__all__ = [
    "EVENT",
    "RUN_SCHEMA",
    "AttachmentStored",
    "CellStatus",
    "CheckDone",
    "Event",
    "Interrupted",
    "KillTried",
    "Mode",
    "Note",
    "Part",
    "PhaseEnded",
    "PhasePlan",
    "PhaseStarted",
    "Previous",
    "RunEnded",
    "RunStarted",
    "Runner",
    "SmokeTested",
    "StackDown",
    "StackUp",
    "Waiver",
]

RUN_SCHEMA: Literal["hardening-playbook/run/1"] = "hardening-playbook/run/1"

Mode = Literal["harden", "audit"]
Runner = Literal["playbook", "external", "interactive"]
PhaseId = Annotated[str, Field(pattern=r"^\d\d$")]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Notebook = Annotated[str, Field(pattern=r"^\d\d_[a-z0-9_]{1,60}$")]
RunId = Annotated[str, Field(pattern=r"^\d{8}T\d{6}Z-[a-z0-9][a-z0-9-]{0,60}-[0-9a-f]{6}$")]


class PhasePlan(Frozen):
    """
    A phase as planned: its notebook, its mode and the checks that it owns.
    """

    id: PhaseId
    notebook: Notebook
    mode: Mode = "harden"
    checks: tuple[Slug, ...] = ()


class Waiver(Frozen):
    """
    A named person's decision to live with a failing check until a day; without a subject it holds for all.
    """

    check: Slug
    subject: str | None = None
    owner: str = Field(min_length=1)
    reason: str = Field(min_length=1)
    expires: date


class Part(Frozen):
    """
    One part of the stack: its version, the digest of its program, and where it came from.
    """

    version: str
    digest: str
    origin: str


class Previous(Frozen):
    """
    The last run in the index when this one began.
    """

    run_id: str
    manifest: Sha256


class CellStatus(Frozen):
    """
    How one cell of a notebook ended.
    """

    id: str
    status: Literal["ok", "failed", "timed_out", "not_run", "dead_kernel"]
    duration_s: float = Field(default=0, ge=0, allow_inf_nan=False)
    error: str | None = None


class RunStarted(Frozen):
    """
    First event. `require` and `waivers` are the scenario's; `requirements` maps its requirement ids to checks.

    `workplace` is the digest of the checkout's path (see `folder.workplace_of`), by which an open run is found.
    """

    type: Literal["run-started"] = "run-started"
    schema_id: Literal["hardening-playbook/run/1"] = RUN_SCHEMA
    run_id: RunId
    scenario: str
    runner: Runner
    profile: str | None = None
    pid: int
    started: datetime
    actor: str
    seed: int | None = None
    parameters: dict[str, Json] = Field(default_factory=dict)
    target: str
    target_sha256: Sha256 | None = None
    phases: tuple[PhasePlan, ...] = ()
    require: tuple[Slug, ...] = ()
    waivers: tuple[Waiver, ...] = ()
    requirements: dict[str, tuple[Slug, ...]] = Field(default_factory=dict)
    checkout: Checkout
    workplace: Sha256 | None = None
    previous: Previous | None = None

    @field_validator("started")
    @classmethod
    def _aware(cls, value: datetime) -> datetime:
        if value.tzinfo is None:
            msg = "started needs a time zone"
            raise ValueError(msg)
        return value


class StackUp(Frozen):
    """
    The stack is up; `parts` is its fingerprint.
    """

    type: Literal["stack-up"] = "stack-up"
    stack: str
    backend: str
    capabilities: tuple[str, ...] = ()
    parts: dict[str, Part] = Field(default_factory=dict)
    duration_s: float = Field(default=0, ge=0, allow_inf_nan=False)


class StackDown(Frozen):
    """
    The stack was taken down; `leftovers` names what is still there.
    """

    type: Literal["stack-down"] = "stack-down"
    stack: str
    kept: bool = False
    leftovers: tuple[str, ...] = ()
    duration_s: float = Field(default=0, ge=0, allow_inf_nan=False)


class PhaseStarted(Frozen):
    """
    A phase began. `source_sha256` is the digest of the stored notebook source; `edited`: it is not the committed one.
    """

    type: Literal["phase-started"] = "phase-started"
    plan: PhasePlan
    parameters: dict[str, Json] = Field(default_factory=dict)
    source_sha256: Sha256 | None = None
    edited: bool = False


class PhaseEnded(Frozen):
    """
    How a phase's notebook ended: `pass` when each cell did its work, `error` when one could not, `skip` when not run.

    It says nothing of the checks: those decide for themselves. A cell that raised the verdict did its work.
    """

    type: Literal["phase-ended"] = "phase-ended"
    phase: PhaseId
    outcome: Literal["pass", "error", "skip"]
    code: Code | None = None
    reason: str | None = None
    cells: tuple[CellStatus, ...] = ()
    executed_sha256: Sha256 | None = None
    duration_s: float = Field(default=0, ge=0, allow_inf_nan=False)

    @field_validator("reason")
    @classmethod
    def _not_blank(cls, value: str | None) -> str | None:
        return value or None


class CheckDone(Frozen):
    """
    A check answered. Waiving happens later, from the run's waivers; a result that comes waived is refused.
    """

    type: Literal["check"] = "check"
    result: CheckResult

    @field_validator("result")
    @classmethod
    def _not_waived(cls, value: CheckResult) -> CheckResult:
        if value.outcome == "waived":
            msg = "a check cannot waive itself: waivers stand in the scenario"
            raise ValueError(msg)
        return value


class KillTried(Frozen):
    """
    What one sabotage did to one check (`*`: to all, of a harmless change).

    `declared` is false for a check that nobody named: a red there fails the run.
    """

    type: Literal["kill"] = "kill"
    phase: PhaseId
    sabotage: str = Field(min_length=1)
    protection: str
    mechanism: str
    check: Slug | Literal["*"]
    subject: str | None = None
    result: Literal["killed", "survived", "void", "not_tried"]
    reason: str | None = None
    declared: bool = True
    harmless: bool = False


class SmokeTested(Frozen):
    """
    The smoke test ran against a state.
    """

    type: Literal["smoke"] = "smoke"
    phase: PhaseId | None = None
    state: str
    broken: str | None = None


class AttachmentStored(Frozen):
    """
    A file was stored under attachments/.
    """

    type: Literal["attachment"] = "attachment"
    path: str = Field(pattern=r"^attachments/[a-z0-9][a-z0-9._-]*$")
    sha256: Sha256
    size: int = Field(ge=0)


class Note(Frozen):
    """
    Something worth telling that decides nothing.
    """

    type: Literal["note"] = "note"
    phase: PhaseId | None = None
    text: str
    data: dict[str, Json] = Field(default_factory=dict)


class RunEnded(Frozen):
    """
    Last event of a run that came to its end; `errors` are failures outside any phase.
    """

    type: Literal["run-ended"] = "run-ended"
    by: Literal["runner", "close"] = "runner"
    errors: tuple[str, ...] = ()


class Interrupted(Frozen):
    """
    Last event of a run whose runner went away. `mark` is what the supervisor left, when it left something.
    """

    type: Literal["interrupted"] = "interrupted"
    reason: str
    mark: str | None = None


Event = Annotated[
    RunStarted
    | StackUp
    | StackDown
    | PhaseStarted
    | PhaseEnded
    | CheckDone
    | KillTried
    | SmokeTested
    | AttachmentStored
    | Note
    | RunEnded
    | Interrupted,
    Field(discriminator="type"),
]

EVENT: TypeAdapter[Event] = TypeAdapter(Event)
