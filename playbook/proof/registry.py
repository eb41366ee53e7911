"""
Owns the registry of checks and sabotages, and refuses one that contradicts itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from playbook.errors import InputError
from playbook.proof.check import Check
from playbook.proof.sabotage import Sabotage

__all__ = ["Registry"]


@dataclass(frozen=True, slots=True)
class Registry:
    """
    Every check and sabotage there is, by id and name.
    """

    checks: tuple[Check, ...]
    sabotages: tuple[Sabotage, ...]

    @classmethod
    def of(cls, checks: Iterable[Check], sabotages: Iterable[Sabotage]) -> Registry:
        """
        Make a registry.

        Raises ValueError, a defect of ours, when an id stands twice, a sabotage names an unknown check, or
        names none without being harmless, or a check has no sabotage.
        """
        made = cls(tuple(checks), tuple(sabotages))
        mistakes = [f"check {name} stands twice" for name in _twice(c.id for c in made.checks)]
        mistakes += [f"sabotage {name} stands twice" for name in _twice(s.name for s in made.sabotages)]
        known = {c.id: c for c in made.checks}
        for sabotage in made.sabotages:
            mistakes += [f"{sabotage.name} names {i}, which is no check" for i in sabotage.kills if i not in known]
            mistakes += [
                f"{sabotage.name} is of phase {sabotage.phase} but names {i} of phase {known[i].phase}"
                for i in sabotage.kills
                if i in known and known[i].phase != sabotage.phase
            ]
            if bool(sabotage.kills) is sabotage.harmless:
                mistakes.append(f"{sabotage.name} must name checks, or be harmless, and not both")
        killed = {i for s in made.sabotages for i in s.kills}
        mistakes += [f"check {i} has no sabotage: it has never been seen to fail" for i in known if i not in killed]
        if mistakes:
            raise ValueError("; ".join(mistakes))
        return made

    def of_phase(self, phase: str) -> Registry:
        """
        What belongs to one phase.
        """
        return Registry(
            tuple(c for c in self.checks if c.phase == phase), tuple(s for s in self.sabotages if s.phase == phase)
        )

    def check(self, check_id: str) -> Check:
        """
        Find a check by id. Raises InputError.
        """
        for one in self.checks:
            if one.id == check_id:
                return one
        raise InputError(f"check {check_id!r} is unknown", hint="`playbook list checks` names them.")

    def sabotage(self, name: str) -> Sabotage:
        """
        Find a sabotage by name. Raises InputError.
        """
        for one in self.sabotages:
            if one.name == name:
                return one
        raise InputError(f"sabotage {name!r} is unknown", hint="`playbook sabotages` names them.")

    def killers(self, check_id: str) -> list[str]:
        """
        Names of the sabotages that must turn a check red.
        """
        return [s.name for s in self.sabotages if check_id in s.kills]


def _twice(names: Iterable[str]) -> list[str]:
    return [name for name, count in Counter(names).items() if count > 1]
