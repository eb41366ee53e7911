"""
Owns how phase 70 is run on a stack: the drill of a state by its procedure, and the bench for mutated ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from playbook import isolation
from playbook.errors import Unavailable
from playbook.places import places
from playbook.proof.check import Check
from playbook.proof.scene import Scene
from playbook.recovery.bench import Bench
from playbook.recovery.drill import rehearse
from playbook.recovery.opening import open_bench
from playbook.recovery.procedure import found_procedure, our_procedure
from playbook.recovery.rehearsal import staged
from playbook.recovery.yard import yard_of
from playbook.stack.protocol import Stack, State

__all__ = ["drill_state", "procedure_bench"]

_READING = ("rows.read.cross-tenant-denied", "rows.read.own-complete")
_REACHING = (
    "context.unset.closed",
    "context.empty.closed",
    "context.malformed.closed",
    "http.object.foreign-not-found",
)


def drill_state(stack: Stack, state: State, scene: Scene, *, say: Callable[[str], None]) -> Scene:
    """
    Rehearse the loss of a state's server by the procedure of that state; return the scene with what came of it.

    Where the stack lends no spare server the scene comes back as it is, and the checks are skipped with that reason.
    """
    procedure = found_procedure(places()) if state == "found" else our_procedure()
    try:
        with yard_of(stack, state) as yard:
            return staged(scene, rehearse(scene, yard, procedure, isolation=_asked((*_READING, *_REACHING)), say=say))
    except Unavailable as missing:
        say(missing.message)
        return scene


@contextmanager
def procedure_bench(stack: Stack, scene: Scene) -> Iterator[Bench]:
    """
    Open the bench for mutated procedures on the hardened state.
    """
    with yard_of(stack, "hardened", many=True) as yard, open_bench(scene, yard, isolation=_asked(_READING)) as bench:
        yield bench


def _asked(ids: Sequence[str]) -> list[Check]:
    """
    Find checks of phase 30 by id. Raises ValueError, a defect of ours, when one is not there any more.
    """
    known = {one.id: one for one in isolation.CHECKS}
    gone = sorted(set(ids) - set(known))
    if gone:
        msg = f"phase 30 has no {', '.join(gone)}, which restored copies must pass"
        raise ValueError(msg)
    return [known[one] for one in ids]
