"""
Owns which checks answer which requirement: read from data/mappings.yaml, joined with what a run really showed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from playbook.evidence.outcome import Outcome, worst
from playbook.evidence.record import RunRecord
from playbook.evidence.result import CheckResult, Slug
from playbook.report.standards import Answered, StandardRow, Standards, standard_rows
from playbook.target.document import read_document

__all__ = ["Mappings", "Requirement", "RequirementRow", "control_rows", "read_mappings", "requirement_rows"]

_RequirementId = Annotated[str, Field(pattern=r"^[A-Z]{2}-\d+$")]
_Phase = Annotated[str, Field(pattern=r"^(\d\d|CI)$")]


class _Closed(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Requirement(_Closed):
    """
    One requirement: its words, the phases that hold it, and the checks that answer it.
    """

    title: str = Field(min_length=1)
    phases: tuple[_Phase, ...] = Field(min_length=1)
    checks: tuple[Slug, ...] = ()


class Mappings(_Closed):
    """
    data/mappings.yaml.
    """

    version: Literal[1]
    requirements: dict[_RequirementId, Requirement]
    standards: Standards = Standards()

    @model_validator(mode="after")
    def _controls_name_requirements(self) -> Self:
        for words, one in self.standards.controls:
            unknown = [name for name in one.requirements if name not in self.requirements]
            if unknown:
                msg = f"{words} {one.control}: there is no requirement {', '.join(unknown)}"
                raise ValueError(msg)
        return self

    def checks_by_requirement(self) -> dict[str, tuple[str, ...]]:
        """
        Give every requirement with its checks, as a run's start records them.
        """
        return {name: requirement.checks for name, requirement in self.requirements.items()}


@dataclass(frozen=True, slots=True)
class RequirementRow:
    """
    One requirement in one run. `outcome` is None where nothing answered it; `why_not` then says why.
    """

    id: str
    title: str
    phases: tuple[str, ...]
    checks: tuple[tuple[str, Outcome | None], ...]
    outcome: Outcome | None
    why_not: str | None

    @property
    def partly(self) -> str:
        """
        How many of its checks answered, where not all did; else empty.
        """
        answered = sum(outcome is not None and outcome != "skip" for _, outcome in self.checks)
        return f"{answered} of {len(self.checks)} checks answered" if 0 < answered < len(self.checks) else ""


def read_mappings(path: Path) -> Mappings:
    """
    Read the mappings. Read-only. Raises InputError naming file, line and field.
    """
    return read_document(path, Mappings)


def requirement_rows(record: RunRecord, mappings: Mappings) -> tuple[RequirementRow, ...]:
    """
    Join requirements with the results that count. Read-only.

    A requirement is covered when at least one of its checks gave a result that is no skip; its outcome is the worst
    of them. That a check is missing beside one that passed is shown in its own column.
    """
    counted: dict[str, list[CheckResult]] = {}
    for phase in record.phases:
        for result in phase.counted:
            counted.setdefault(result.id, []).append(result)
    ran = {phase.id for phase in record.phases if phase.outcome != "skip"}
    return tuple(_row(name, requirement, counted, ran) for name, requirement in mappings.requirements.items())


def control_rows(rows: Sequence[RequirementRow], mappings: Mappings, record: RunRecord) -> tuple[StandardRow, ...]:
    """
    Join the controls of standards with the requirements' rows. Read-only.
    """
    return standard_rows(mappings.standards, {row.id: Answered(row.checks) for row in rows}, record)


def _row(
    name: str, requirement: Requirement, counted: Mapping[str, list[CheckResult]], ran: set[str]
) -> RequirementRow:
    checks = tuple((check, _folded(counted.get(check, []))) for check in requirement.checks)
    shown: list[Outcome] = [outcome for _, outcome in checks if outcome is not None and outcome != "skip"]
    why_not = None
    if not requirement.checks:
        why_not = "no check yet"
    elif not shown:
        why_not = "skipped" if any(outcome for _, outcome in checks) else "its checks did not run"
        if not ran.intersection(requirement.phases):
            why_not = f"phase {' and '.join(requirement.phases)} did not run"
    return RequirementRow(
        id=name,
        title=requirement.title,
        phases=requirement.phases,
        checks=checks,
        outcome=_worst_shown(shown) if shown else None,
        why_not=why_not,
    )


def _folded(results: list[CheckResult]) -> Outcome | None:
    return _worst_shown([result.outcome for result in results]) if results else None


def _worst_shown(outcomes: list[Outcome]) -> Outcome:
    if set(outcomes) <= {"skip", "waived"}:
        return "waived" if "waived" in outcomes else "skip"
    return worst(outcomes)
