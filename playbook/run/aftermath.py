"""
Owns the end of a run's stack: taking it down, and what is asked when it is gone, with the controls of that.
"""

from __future__ import annotations

import time
from dataclasses import replace

from playbook.errors import StackError
from playbook.evidence.client import Emitter, emit_check
from playbook.evidence.events import StackDown
from playbook.proof.execute import run_checks
from playbook.proof.matrix import KillEntry, entries, not_tried, void
from playbook.proof.sabotage import LeftBehind, Sabotage
from playbook.proof.scene import Scene
from playbook.run.phases import Phase
from playbook.run.plan import RunPlan
from playbook.stack import LocalStack
from playbook.stack.registry import folder_of
from playbook.stack.remains import Remains

__all__ = ["take_down"]


def take_down(stack: LocalStack, plan: RunPlan, emitter: Emitter, *, keeping: bool, completed: bool) -> None:
    """
    Take a run's stack down, or release it when it is kept; after a completed run, ask what is left of it.

    Raises StackError, the stack being down, when it was not known what it was made of.
    """
    begun = time.monotonic()
    if keeping:
        stack.release()
        emitter.emit(StackDown(stack=stack.name, kept=True))
        return
    remains = None
    try:
        remains = Remains.of(folder_of(stack.name)) if completed else None
    finally:
        left = stack.down()
        emitter.emit(StackDown(stack=stack.name, leftovers=left.names, duration_s=round(time.monotonic() - begun, 3)))
    if remains is not None:
        _ask_afterwards(plan, remains, emitter)


def _ask_afterwards(plan: RunPlan, remains: Remains, emitter: Emitter) -> None:
    """
    Ask what the planned phases want to know of a stack that was taken down, once clean and once under each fault.
    """
    for planned in plan.phases:
        if not planned.phase.afterwards:
            continue
        scene = Scene(
            state="hardened" if planned.mode == "harden" else "found",
            target=plan.target,
            seed=plan.scenario.seed,
            profile=plan.scenario.profile,
            site_remains=remains,
        )
        results = [emit_check(emitter, result) for result in run_checks(planned.phase.afterwards, scene)]
        clean = all(result.outcome == "pass" for result in results)
        for sabotage in planned.phase.afterwards_sabotages if planned.mode == "harden" else ():
            tried = _tried(planned.phase, sabotage, scene, remains) if clean else void(sabotage, "something is left")
            for entry in tried:
                emitter.emit(entry.event(planned.phase.id))


def _tried(phase: Phase, sabotage: Sabotage, scene: Scene, remains: Remains) -> list[KillEntry]:
    assert isinstance(sabotage.fault, LeftBehind)
    kind = sabotage.fault.kind
    if kind not in remains.kinds():
        return not_tried(sabotage, f"this stack has no {kind}")
    try:
        with remains.left_behind(kind):
            found = entries(sabotage, run_checks(phase.afterwards, replace(scene, state=f"sabotaged:{sabotage.name}")))
    except (StackError, OSError) as error:
        return void(sabotage, str(error))
    return found
