"""
Owns how requirements bear on controls of standards: as declared, and as a run really showed.

A control is wider than any check. `strong`: the checks ask the control's own question. `partial`: they ask a part of
it, and `why` says which part stays open. Neither is a statement of compliance.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from playbook.evidence.outcome import Outcome
from playbook.evidence.record import RunRecord
from playbook.report.wording import count_of

__all__ = ["STANDARDS", "Answered", "Control", "StandardRow", "Standards", "standard_rows"]

STANDARDS = {
    "nist_800_53": "NIST SP 800-53 Rev. 5",
    "asvs_5": "OWASP ASVS 5.0",
    "soc_2": "SOC 2 (TSC 2017)",
    "iso_27001": "ISO/IEC 27001:2022, Annex A",
}
Strength = Literal["strong", "partial"]


class _Closed(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Control(_Closed):
    """
    One control, the requirements through which it is answered, and how well; `partial` says why.
    """

    control: str = Field(min_length=1)
    title: str = Field(min_length=1)
    requirements: tuple[str, ...] = Field(min_length=1)
    strength: Strength
    why: str | None = None

    @model_validator(mode="after")
    def _partial_says_why(self) -> Self:
        if (self.strength == "partial") is (self.why is None):
            msg = "a partial control says why, a strong one has nothing to explain"
            raise ValueError(msg)
        return self


class Standards(_Closed):
    """
    The controls of each standard that the requirements bear on.
    """

    nist_800_53: tuple[Control, ...] = ()
    asvs_5: tuple[Control, ...] = ()
    soc_2: tuple[Control, ...] = ()
    iso_27001: tuple[Control, ...] = ()

    @property
    def controls(self) -> tuple[tuple[str, Control], ...]:
        """
        Every control with the name of its standard.
        """
        return tuple((words, one) for name, words in STANDARDS.items() for one in getattr(self, name))


@dataclass(frozen=True, slots=True)
class Answered:
    """
    What one requirement's checks said in a run.
    """

    checks: tuple[tuple[str, Outcome | None], ...]


@dataclass(frozen=True, slots=True)
class StandardRow:
    """
    One control in one run; `why` joins the declared and the run's reasons.

    `outcome` is None where nothing answered it, or the others were green while one requirement stayed unanswered.
    """

    standard: str
    control: str
    title: str
    requirements: tuple[str, ...]
    outcome: Outcome | None
    strength: Strength
    why: tuple[str, ...]


_WORST: tuple[Outcome, ...] = ("fail", "error", "pass", "waived", "skip")


def standard_rows(standards: Standards, answers: Mapping[str, Answered], record: RunRecord) -> tuple[StandardRow, ...]:
    """
    Join controls with what their requirements' checks said. Read-only.

    A control that is strong as declared is partial in a run in which a check was left out, skipped, or partial itself.
    """
    scaled = {r.id for phase in record.phases for r in phase.counted if r.strength == "partial"}
    return tuple(_row(words, one, answers, scaled) for words, one in standards.controls)


def _row(standard: str, one: Control, answers: Mapping[str, Answered], scaled: set[str]) -> StandardRow:
    checks = {check: outcome for name in one.requirements for check, outcome in answers[name].checks}
    shown = [outcome for outcome in checks.values() if outcome is not None and outcome != "skip"]
    silent = [name for name in one.requirements if not _answered(answers[name])]
    why = [one.why] if one.why else []
    if shown:
        left_out = len(checks) - len(shown)
        weak = sorted(scaled.intersection(checks))
        why += [f"nothing answered {', '.join(silent)}"] if silent else []
        why += [f"{count_of(left_out, 'check')} of {len(checks)} gave no answer in this run"] if left_out else []
        why += [f"of partial strength in this run: {', '.join(weak)}"] if weak else []
    return StandardRow(
        standard=standard,
        control=one.control,
        title=one.title,
        requirements=one.requirements,
        outcome=_worst(shown, whole=not silent),
        strength="partial" if why else "strong",
        why=tuple(why),
    )


def _answered(answer: Answered) -> bool:
    return any(outcome is not None and outcome != "skip" for _, outcome in answer.checks)


def _worst(outcomes: Sequence[Outcome], *, whole: bool) -> Outcome | None:
    """
    Fold outcomes; what is green in part only shows nothing of the control, what is red in part is red.
    """
    if not outcomes:
        return None
    found = min(outcomes, key=_WORST.index)
    return found if whole or found in ("fail", "error") else None
