"""
Owns how phase 70 is run on a stack: the drill of a state by its procedure, and the bench for mutated ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from playbook import isolation
from playbook.errors import Unavailable
from playbook.places import places
from playbook.proof.check import Check
from playbook.proof.scene import Scene
from playbook.recovery.bench import Bench, open_bench
from playbook.recovery.drill import rehearse
from playbook.recovery.procedure import found_procedure, our_procedure
from playbook.recovery.rehearsal import staged
from playbook.recovery.yard import yard_of
from playbook.stack.protocol import Stack, State

__all__ = ["drill_state", "procedure_bench"]

_READING = ("rows.read", "context")
_CHEAPEST = "rows.read"


def drill_state(stack: Stack, state: State, scene: Scene, *, say: Callable[[str], None]) -> Scene:
    """
    Rehearse the loss of a state's server by the procedure of that state; return the scene with what came of it.

    Where the stack lends no spare server the scene comes back as it is, and the checks are skipped with that reason.
    """
    procedure = found_procedure(places()) if state == "found" else our_procedure()
    try:
        with yard_of(stack, state) as yard:
            return staged(scene, rehearse(scene, yard, procedure, isolation=_reading(), say=say))
    except Unavailable as missing:
        say(missing.message)
        return scene


@contextmanager
def procedure_bench(stack: Stack, scene: Scene) -> Iterator[Bench]:
    """
    Open the bench for mutated procedures on the hardened state.
    """
    cheap = [one for one in isolation.CHECKS if one.id.startswith(_CHEAPEST)]
    with yard_of(stack, "hardened", many=True) as yard, open_bench(scene, yard, isolation=cheap) as bench:
        yield bench


def _reading() -> list[Check]:
    """
    Choose the checks of phase 30 that read over the service's own role, and those of the objects over HTTP.
    """
    return [one for one in isolation.CHECKS if one.id.startswith((*_READING, "http.object"))]
