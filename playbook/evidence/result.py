"""
Owns CheckResult: one answer to one question about one subject, whose outcome is computed, never stated.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue, field_validator, model_validator

from playbook.evidence.canonical import ensure_exact, same_json
from playbook.evidence.outcome import Code, Outcome

__all__ = [
    "OPERATORS",
    "CheckResult",
    "Control",
    "Frozen",
    "Json",
    "Names",
    "NamesDigest",
    "Observation",
    "Operator",
    "Slug",
    "State",
    "decide",
]

Operator = Literal["eq", "ne", "lt", "le", "gt", "ge", "in", "subset", "contains", "matches", "empty", "nonempty"]
OPERATORS: tuple[Operator, ...] = (
    "eq", "ne", "lt", "le", "gt", "ge", "in", "subset", "contains", "matches", "empty", "nonempty",
)  # fmt: skip

Slug = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*(\.[a-z0-9][a-z0-9-]*)+$")]
State = Annotated[str, Field(pattern=r"^(found|hardened|sabotaged:[a-z0-9][a-z0-9-]*)$")]
Json = Annotated[JsonValue, AfterValidator(ensure_exact)]
"""A JSON value that survives writing and reading unchanged: no NaN, no infinity, no integer beyond 2^53 - 1."""


class Frozen(BaseModel):
    """
    What every record of evidence is: immutable, and closed to fields that nobody declared.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")


class Observation(Frozen):
    """
    What was asked, in which role, and what came back.
    """

    role: str | None = None
    query: str | None = None
    request: str | None = None
    value: Json = None
    unit: str | None = None
    attachment: str | None = None


class NamesDigest(Frozen):
    """
    A list of more than 1000 names, by its count and digest; the names are in the attachment.
    """

    count: int = Field(ge=0)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    attachment: str


Names = tuple[str, ...] | NamesDigest


class Control(Frozen):
    """
    How one knows that the check can fail.

    `killed_by` names the sabotages that turned it red in this run; `status` is `killed`, `not_tried`
    (no sabotage of it ran in this profile) or `reference` (seen to fail on the reference service only).
    """

    status: Literal["killed", "not_tried", "reference"]
    killed_by: tuple[str, ...] = ()


def decide(expected: JsonValue, operator: Operator, actual: JsonValue) -> bool:  # noqa: C901, PLR0911 (one arm per operator)
    """
    Say whether `actual` satisfies `operator` against `expected`. Read-only.

    Raises TypeError when the two cannot be compared (a string with `lt`, a number with `subset`, …): a check
    whose observation has the wrong shape is a defect of the check, not a pass and not a fail.
    """
    match operator:
        case "eq" | "ne":
            return same_json(expected, actual) is (operator == "eq")
        case "lt" | "le" | "gt" | "ge":
            seen, bound = _number(actual), _number(expected)
            return {"lt": seen < bound, "le": seen <= bound, "gt": seen > bound, "ge": seen >= bound}[operator]
        case "in":
            return _holds(_list(expected), actual)
        case "subset":
            allowed = _list(expected)
            return all(_holds(allowed, item) for item in _list(actual))
        case "contains":
            if isinstance(actual, str):
                return isinstance(expected, str) and expected in actual
            return _holds(_list(actual), expected)
        case "matches":
            if not isinstance(expected, str) or not isinstance(actual, str):
                msg = f"matches needs two strings, got {expected!r} and {actual!r}"
                raise TypeError(msg)
            try:
                return re.fullmatch(expected, actual) is not None
            except re.error as err:
                msg = f"matches needs a regular expression, got {expected!r}: {err}"
                raise TypeError(msg) from err
        case "empty" | "nonempty":
            if not isinstance(actual, str | list | dict):
                msg = f"{operator} needs a string, list or object, got {actual!r}"
                raise TypeError(msg)
            return (len(actual) == 0) is (operator == "empty")


def _number(value: JsonValue) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value:  # noqa: PLR0124 (NaN)
        msg = f"not a number: {value!r}"
        raise TypeError(msg)
    return value


def _holds(items: list[JsonValue], wanted: JsonValue) -> bool:
    return any(same_json(item, wanted) for item in items)


def _list(value: JsonValue) -> list[JsonValue]:
    if not isinstance(value, list):
        msg = f"not a list: {value!r}"
        raise TypeError(msg)
    return value


class CheckResult(Frozen):
    """
    One check, on one subject, in one state (CONTRACTS §2).

    `outcome` must be what `decide(expected, operator, actual)` says, unless it is error, skip or waived, which
    need a reason. A pass must have tested its whole population. Both rules hold on reading too, so a flipped
    outcome in stored evidence does not load.
    """

    id: Slug
    title: str
    phase: Annotated[str, Field(pattern=r"^\d\d$")]
    state: State
    subject: str | None = None
    expected: Json = None
    operator: Operator = "eq"
    actual: Json = None
    outcome: Outcome
    code: Code | None = None
    reason: str | None = None
    remedy: str | None = None
    severity: Literal["info", "low", "medium", "high", "critical"] = "medium"
    strength: Literal["strong", "partial"] = "strong"
    strength_reason: str | None = None
    population: Names = ()
    tested: Names = ()
    control: Control | None = None
    started: datetime
    duration_s: float = Field(ge=0, allow_inf_nan=False)
    attempts: int = Field(default=1, ge=1)
    observations: tuple[Observation, ...] = ()

    @field_validator("started")
    @classmethod
    def _aware(cls, value: datetime) -> datetime:
        if value.tzinfo is None:
            msg = "started needs a time zone"
            raise ValueError(msg)
        return value

    @model_validator(mode="after")
    def _outcome_follows(self) -> CheckResult:
        if self.outcome in ("error", "skip", "waived"):
            if not self.reason:
                msg = f"{self.outcome} needs a reason"
                raise ValueError(msg)
            if self.outcome == "error" and self.code is None:
                msg = "error needs a code"
                raise ValueError(msg)
            if self.outcome == "skip" and self.actual is not None:
                msg = f"a skip has seen nothing, but carries the observation {self.actual!r}"
                raise ValueError(msg)
            return self
        if (self.outcome == "pass") is not self.passes():
            msg = (
                f"outcome {self.outcome!r} contradicts its observation: "
                f"expected {self.operator} {self.expected!r}, saw {self.actual!r}"
            )
            raise ValueError(msg)
        if self.outcome == "pass" and _key(self.tested) != _key(self.population):
            msg = f"a pass must have tested its whole population: {self.tested!r} is not {self.population!r}"
            raise ValueError(msg)
        if self.strength == "partial" and not self.strength_reason:
            msg = "partial strength needs strength_reason"
            raise ValueError(msg)
        return self

    def passes(self) -> bool:
        """
        Decide anew from what is stored. Read-only.

        Raises ValueError when the observation has the wrong shape for the operator.
        """
        try:
            return decide(self.expected, self.operator, self.actual)
        except TypeError as err:
            msg = f"the observation has the wrong shape: {err}"
            raise ValueError(msg) from err

    @property
    def family(self) -> str:
        """
        First segment of the id.
        """
        return self.id.partition(".")[0]

    @property
    def key(self) -> tuple[str, str, str]:
        """
        What a result is unique by: (id, subject or "", state).
        """
        return (self.id, self.subject or "", self.state)


def _key(names: Names) -> object:
    if isinstance(names, NamesDigest):
        return (names.count, names.sha256)
    return sorted(names)
