"""
Owns the check that is asked when a run's stack is gone: nothing of it is left. Its faults leave something behind.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import get_args

from playbook.evidence.result import Observation
from playbook.proof.check import Finding, check
from playbook.proof.sabotage import LeftBehind, Sabotage
from playbook.proof.scene import Scene
from playbook.stack.remains import RemainKind

__all__ = ["CHECKS", "SABOTAGES"]


@check(
    "stack.remains.none",
    title="Nothing is left of the stack when it was taken down",
    phase="10",
    severity="medium",
    why="What a rehearsal leaves behind holds ports, memory and copies of data, and makes the next one start unclean.",
    how="After the take-down: look for processes with the stack's mark, its folder, and objects with its label.",
    remedy="playbook down --all; then see the run's log for what could not be removed.",
    population=lambda scene: list(scene.remains.kinds()),
    reach="code",
)
def nothing_remains(scene: Scene) -> Iterator[Finding]:
    """Look for whatever there is of the stack, by kind."""
    for kind in scene.remains.kinds():
        left = [*scene.remains.of_kind(kind)]
        seen = Observation(role="machine", request=f"{kind} of the stack", value=len(left), unit="things")
        yield Finding(subject=kind, expected=[], actual=[*left], observations=(seen,))


CHECKS = (nothing_remains,)
SABOTAGES = tuple(
    Sabotage(
        name=f"left-{kind}",
        title=f"The take-down leaves {kind} behind",
        phase="10",
        protection="take-down",
        mechanism=f"{kind} left behind",
        fault=LeftBehind(kind),
        kills={"stack.remains.none": (kind,)},
    )
    for kind in get_args(RemainKind)
)
