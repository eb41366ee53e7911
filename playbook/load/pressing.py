"""
Owns asking at the front door in a loop while an instance leaves: a loss of a moment is not left to chance.
"""

from __future__ import annotations

import http.client
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

__all__ = ["Door", "Pressed", "pressing"]

CALLERS = 2
ANSWER_LIMIT_S = 10.0
_OK = 200


@dataclass(frozen=True, slots=True)
class Door:
    """
    Where clients ask, and a path that costs little.
    """

    address: str
    port: int
    path: str


@dataclass(slots=True)
class Pressed:
    """
    What came of it: how many were asked, and what came instead of an answer, by cause.
    """

    sent: int = 0
    causes: Counter[str] = field(default_factory=Counter)


@contextmanager
def pressing(door: Door) -> Iterator[Pressed]:
    """
    Ask at the door, each caller as soon as it was answered, for the time of the block.
    """
    stop = threading.Event()
    each = [Pressed() for _ in range(CALLERS)]
    threads = [threading.Thread(target=_ask, args=(door, one, stop), daemon=True) for one in each]
    whole = Pressed()
    for thread in threads:
        thread.start()
    try:
        yield whole
    finally:
        stop.set()
        for thread in threads:
            thread.join(ANSWER_LIMIT_S + 1)
        whole.sent = sum(one.sent for one in each)
        whole.causes = sum((one.causes for one in each), Counter())


def _ask(door: Door, seen: Pressed, stop: threading.Event) -> None:
    line = http.client.HTTPConnection(door.address, door.port, timeout=ANSWER_LIMIT_S)
    while not stop.is_set():
        seen.sent += 1
        try:
            line.request("GET", door.path)
            answer = line.getresponse()
            answer.read()
        except (OSError, http.client.HTTPException) as err:
            seen.causes[type(err).__name__] += 1
            line.close()
        else:
            if answer.status != _OK:
                seen.causes[str(answer.status)] += 1
    line.close()
