"""
Owns the form of a load's shape file, for a service of which nothing but the address is known.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from playbook.errors import InputError
from playbook.load.plan import DURATION_MOST_S, RATE_MOST_PER_S, Arrival, Caller, Plan, loopback_of
from playbook.target.document import explain, read_document
from playbook.target.target import Objectives

__all__ = ["Shape", "read_shape"]

_VARIABLE = re.compile(r"\$\{(\w+)\}")


class Shape(BaseModel):
    """
    What to send and what to hold it to. Secrets in headers stand as ${ENV}, never as text.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    rate_per_s: float = Field(default=20.0, gt=0, le=RATE_MOST_PER_S)
    duration_s: float = Field(default=10.0, gt=0, le=DURATION_MOST_S)
    timeout_s: float = Field(default=10.0, gt=0, le=60)
    operations: tuple[Arrival, ...] = Field(min_length=1)
    callers: tuple[Caller, ...] = (Caller(name="anonymous"),)
    canary: str | None = None
    objectives: Objectives = Objectives()
    seed: int = Field(default=1, ge=0)

    def plan(self, url: str) -> Plan:
        """
        Make the plan for one address. Raises GuardError unless it is on loopback, InputError beyond the bounds.
        """
        address, port = loopback_of(url)
        try:
            return Plan(
                address=address,
                port=port,
                rate_per_s=self.rate_per_s,
                duration_s=self.duration_s,
                timeout_s=self.timeout_s,
                operations=self.operations,
                callers=self.callers,
                canary=self.canary,
                seed=self.seed,
            )
        except ValidationError as err:
            raise InputError("; ".join(explain("shape", err, Plan)), hint="Send less, or for a shorter time.") from err


def read_shape(path: Path, *, environment: Mapping[str, str] | None = None) -> Shape:
    """
    Read a shape file. Read-only.

    Raises InputError naming file, line and field, or a variable that is not set.
    """
    shape = read_document(path, Shape)
    if not shape.objectives.model_dump(include={"p95_ms", "error_rate"}, exclude_none=True):
        raise InputError(
            f"{path}: objectives name neither p95_ms nor error_rate", hint="Without one there is nothing to decide."
        )
    values = os.environ if environment is None else environment
    filled = [
        one.model_copy(update={"headers": {name: _fill(text, values) for name, text in one.headers.items()}})
        for one in shape.callers
    ]
    return shape.model_copy(update={"callers": tuple(filled)})


def _fill(text: str, values: Mapping[str, str]) -> str:
    missing = sorted({name for name in _VARIABLE.findall(text) if name not in values})
    if missing:
        raise InputError(f"the environment has no {', '.join(missing)}", hint="Set it; a header of the shape uses it.")
    return _VARIABLE.sub(lambda match: values[match.group(1)], text)
