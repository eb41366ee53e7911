"""
Owns what a run was asked for, taken from its evidence, so that it can be held again.
"""

from __future__ import annotations

from pydantic import JsonValue

from playbook.evidence.record import RunRecord
from playbook.run.parameters import PhaseParameters
from playbook.run.plan import Asked

__all__ = ["ask_again"]


def ask_again(record: RunRecord) -> Asked:
    """
    Say what to ask for to hold a run again. Read-only.
    """
    phases = [phase.parameters for phase in record.phases]
    without = record.parameters.get("without")
    return Asked(
        scenario=next((str(one["scenario"]) for one in phases if "scenario" in one), record.scenario),
        stack=record.backend or _text(record.parameters.get("stack")),
        profile=record.profile,
        seed=record.seed,
        phases=tuple(phase.id for phase in record.phases),
        without=tuple(str(name) for name in without) if isinstance(without, list) else (),
        parameters={
            name: _text(value) or ""
            for one in phases
            for name, value in one.items()
            if name not in PhaseParameters.model_fields
        },
    )


def _text(value: JsonValue) -> str | None:
    if value is None:
        return None
    return str(value).lower() if isinstance(value, bool) else str(value)
