"""
Owns writing evidence beside the work that makes it: in order, and none lost in silence.
"""

from __future__ import annotations

import threading
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Self

from playbook.evidence.client import Emitter
from playbook.evidence.events import Event

__all__ = ["Relay"]

_AT_ONCE = 500
"""So many events go in one message: some hundred kilobytes."""


class Relay:
    """
    Sends events from a thread of its own, so that the next check is asked while the last one's results are synced.

    What has come together by the time the thread is free goes in one message. Whoever leaves the block has waited for
    all of them. What the writer refuses is raised at the next event, or on leaving the block.
    """

    def __init__(self, emitter: Emitter) -> None:
        self._emitter = emitter
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="evidence-relay")
        self._waiting: deque[Event] = deque()
        self._under_way: deque[Future[None]] = deque()
        self._guard = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._thread.shutdown(wait=True)
        if kind is None:
            self._raise_refusal()

    def send(self, event: Event) -> None:
        """
        Send an event after those before it. Raises EvidenceError when one of them was refused.
        """
        with self._guard:
            self._raise_refusal()
            self._waiting.append(event)
            self._under_way.append(self._thread.submit(self._send_waiting))

    def _send_waiting(self) -> None:
        events = [self._waiting.popleft() for _ in range(min(len(self._waiting), _AT_ONCE))]
        if events:
            self._emitter.emit_all(events)

    def _raise_refusal(self) -> None:
        while self._under_way and self._under_way[0].done():
            self._under_way.popleft().result()
