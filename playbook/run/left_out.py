"""
Owns what a run's plan can do with the hardenings that it is to leave out: refuse or say what would show nothing.
"""

from __future__ import annotations

from collections.abc import Iterator

from playbook.errors import InputError
from playbook.proof.apply import switches_of
from playbook.run.phases import PHASES, Phase, find_phase
from playbook.run.plan import RunPlan

__all__ = ["refuse_idle", "tell_unasked"]


def refuse_idle(plan: RunPlan) -> None:
    """
    Refuse to leave out a switch that no phase of the run turns on, nor one that they need: it would change nothing.

    Raises InputError naming the phase that turns it on.
    """
    hardening = {phase.id for phase in _hardening(plan)}
    for switch in sorted(plan.without):
        holders = [phase.id for phase in PHASES if switch in phase.switches]
        if not hardening.intersection(holders):
            named = " or ".join(holders)
            raise InputError(
                f"--without {switch}: no phase of this run turns it on"
                + (f"; phase {named} does, when it hardens" if named else ""),
                hint=f"Add --phase {named}, or leave --without {switch} out." if named else "Leave it out.",
            )


def tell_unasked(plan: RunPlan) -> Iterator[str]:
    """
    Name what is left out though only phases that are not of this run ask about it.
    """
    planned = {one.phase.id for one in plan.phases}
    for switch in sorted(plan.without):
        asking = {phase.id for phase in PHASES for one in phase.sabotages if switch in switches_of(one)}
        if asking and not asking & planned:
            yield f"--without {switch}: the checks that show it are those of phase {', '.join(sorted(asking))}"


def _hardening(plan: RunPlan) -> Iterator[Phase]:
    for one in plan.phases:
        yield from (find_phase(need) for need in one.phase.needs)
        if one.mode == "harden":
            yield one.phase
