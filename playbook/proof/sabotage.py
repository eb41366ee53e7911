"""
Owns what a sabotage is: a named, reversible fault of one protection, and the checks that it must turn red.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from playbook.stack.protocol import Edit, Weakness
from playbook.stack.remains import RemainKind

__all__ = [
    "WHOLE",
    "CodeEdit",
    "ContainerFault",
    "FaultKind",
    "LeftBehind",
    "ProcedureFault",
    "Sabotage",
    "SqlFault",
    "SwitchOff",
]

WHOLE: tuple[str, ...] = ()
"""Subjects of a check that answers about the whole."""


@dataclass(frozen=True, slots=True)
class SqlFault:
    """
    A fault of the schema or of a role, as a pair of SQL scripts run as superuser on a copy.

    `probe` is one query over another connection that answers true while the fault is there: it must read the
    catalogue, and be none of the checks under test. Roles are per server: such a fault is healed before the
    next one begins.
    """

    apply: str
    heal: str
    probe: str


@dataclass(frozen=True, slots=True)
class SwitchOff:
    """
    One named hardening of the service's behaviour switched off, in a copy with an app of its own.
    """

    switch: str


@dataclass(frozen=True, slots=True)
class CodeEdit:
    """
    One edit of a copy of the service's code.

    It is seen to be applied when the copy that runs reports another source digest than the original; an edit
    whose text does not occur exactly once is void.
    """

    edit: Edit


@dataclass(frozen=True, slots=True)
class ProcedureFault:
    """
    A named mutation of a procedure (of backup and restore, …), or of what it made.

    The domain that owns the procedure knows the name, runs the mutated procedure on a throw-away subject, and sees
    by a probe of its own that the mutation is there.
    """

    mutation: str


@dataclass(frozen=True, slots=True)
class ContainerFault:
    """
    The container of a copy's first instance without one of its bounds; not tried on a stack without containers.
    """

    weakness: Weakness


@dataclass(frozen=True, slots=True)
class LeftBehind:
    """
    One thing that a take-down leaves behind; tried when the run's stack is gone.
    """

    kind: RemainKind


FaultKind = SqlFault | SwitchOff | CodeEdit | ProcedureFault | ContainerFault | LeftBehind


@dataclass(frozen=True, slots=True)
class Sabotage:
    """
    One fault.

    `kills` names by hand every check that must turn red, with its subjects (WHOLE for a check about the whole);
    any other red fails the build. A harmless one (`harmless=True`, an inverted control) names none, and every
    check must survive it. `profile` is the smallest profile that tries it.
    """

    name: str
    title: str
    phase: str
    protection: str
    mechanism: str
    fault: FaultKind
    kills: Mapping[str, tuple[str, ...]]
    harmless: bool = False
    profile: Literal["quick", "standard", "quarterly"] = "quick"
    blind: bool = False

    @property
    def pair(self) -> tuple[str, str]:
        """
        What distinct sabotages are counted by.
        """
        return (self.protection, self.mechanism)
