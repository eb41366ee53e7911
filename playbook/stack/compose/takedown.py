"""
Owns removing whatever a stack has in the engine: containers, networks, volumes. `python -m … FOLDER` does it alone.

It goes by our label only. So it works after a crash, with an engine that was restarted, and half-way through `up`.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from playbook.errors import StackError
from playbook.stack.compose.engine import Engine, Kind
from playbook.stack.compose.labels import NAME, PLACE, STACK, USER, place
from playbook.stack.record import RecordFile

__all__ = ["TakenDown", "remove_forgotten", "take_down"]

_ORDER: Sequence[Kind] = ("container", "network", "volume")
_LIMIT_S = 30.0
_PAUSE_S = 0.3


@dataclass(frozen=True, slots=True)
class TakenDown:
    """
    How many objects were removed, by kind, and the names of those that are still there.
    """

    removed: Mapping[str, int] = field(default_factory=dict)
    left: tuple[str, ...] = ()


def take_down(engine: Engine, stack: str) -> TakenDown:
    """
    Remove everything that carries a stack's label; looks again until nothing new appears. Raises StackError.
    """
    label = f"{STACK}={stack}"
    seen: dict[Kind, set[str]] = {kind: set() for kind in _ORDER}
    end = time.monotonic() + _LIMIT_S
    while any((found := engine.objects([label])).values()) and time.monotonic() < end:
        if any(seen.values()):
            time.sleep(_PAUSE_S)
        for kind in _ORDER:
            seen[kind].update(found[kind])
            for one in found[kind]:
                engine.remove(kind, one)
    left = engine.objects([label])
    return TakenDown(
        {f"{kind}s": len(seen[kind] - set(left[kind])) for kind in _ORDER if seen[kind]},
        tuple(f"{kind} {name}" for kind in _ORDER for name in left[kind].values()),
    )


def remove_forgotten(engine: Engine, user: int, home: Path, known: Collection[str]) -> Mapping[str, TakenDown]:
    """
    Take down stacks of a user whose folders in `home` are gone; `known` are the ids of those that are not.

    Of stacks that live elsewhere, on another machine of the same engine too, nobody here can say that they are gone.
    """
    rows = engine.stacks([f"{USER}={user}", f"{PLACE}={place(home)}"])
    return {
        row.get(NAME, row[STACK]): take_down(engine, row[STACK])
        for row in {row[STACK]: row for row in rows}.values()
        if row[STACK] not in known
    }


def main(argv: Sequence[str]) -> int:
    """
    Take down what the stack in this folder has; 1 when something is left or the engine does not answer.
    """
    (folder,) = argv
    try:
        record = RecordFile(Path(folder)).read()
        done = take_down(Engine.open(), record.id)
    except StackError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stderr.write(f"removed {dict(done.removed)}, left {list(done.left)}\n")
    return 1 if done.left else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
