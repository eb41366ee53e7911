"""
Owns telling a person how far a run is: one moving line on a terminal, plain lines elsewhere, both on stderr.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self, TextIO

from rich.console import Console
from rich.status import Status

from playbook.evidence.chain import Entry
from playbook.evidence.client import DirectEmitter
from playbook.evidence.events import (
    CheckDone,
    Event,
    KillTried,
    PhaseEnded,
    PhaseStarted,
    StackDown,
    StackUp,
)

__all__ = ["GLYPHS", "HeardEmitter", "Progress"]

GLYPHS = {"pass": "✔", "fail": "✖", "error": "!", "skip": "-", "waived": "~"}


class HeardEmitter(DirectEmitter):
    """
    The runner's emitter; `hear` is told of each event once it is stored.
    """

    hear: Callable[[Event], None] = staticmethod(lambda _: None)

    def emit(self, event: Event) -> Entry:
        """
        Store one event, then tell of it.
        """
        entry = super().emit(event)
        self.hear(entry.event)
        return entry


class Progress:
    """
    Hears the events of a run; a context manager.

    On a terminal the current phase, check and elapsed time move in one line, and what failed in the state
    `hardened` is written above it. Elsewhere each phase begins and ends with a line.
    """

    def __init__(self, *, stream: TextIO | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._console = Console(file=stream or sys.stderr, highlight=False, soft_wrap=True)
        self._clock = clock
        self._begun = clock()
        self._phase = ""
        self._phase_begun = self._begun
        self._counts: dict[str, int] = {}
        self._status: Status | None = None

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._status = self._console.status("starting")
            self._status.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._status is not None:
            self._status.stop()

    def say(self, text: str) -> None:
        """
        Write one line, with the elapsed seconds.
        """
        self._console.print(f"[{self._elapsed():6.1f} s] {text}", markup=False)

    def say_step(self, step: str) -> None:
        """
        Tell a step of the stack's start.
        """
        self._move(f"stack: {step}")

    def hear(self, event: Event) -> None:
        """
        Take note of one event.
        """
        match event:
            case StackUp():
                self.say(f"stack {event.stack} is up ({event.backend}, {event.duration_s:.1f} s)")
            case PhaseStarted():
                self._phase, self._phase_begun, self._counts = event.plan.id, self._clock(), {}
                self.say(f"phase {event.plan.id} · {event.plan.notebook.partition('_')[2].replace('_', ' ')}")
            case CheckDone(result=result):
                key = f"{result.state.partition(':')[0]} {result.outcome}"
                self._counts[key] = self._counts.get(key, 0) + 1
                subject = f" [{result.subject}]" if result.subject else ""
                if result.state == "hardened" and result.outcome in ("fail", "error"):
                    self.say(f"  {GLYPHS[result.outcome]} {result.id}{subject} {result.outcome}")
                self._move(f"{result.id}{subject} · {result.state}")
            case KillTried(result="survived" | "void") if not event.harmless:
                self.say(f"  ! sabotage {event.sabotage} {event.result} for {event.check}: {event.reason}")
            case PhaseEnded():
                counts = ", ".join(f"{n} {key}" for key, n in sorted(self._counts.items()))
                seconds = self._clock() - self._phase_begun
                self.say(f"phase {event.phase} ended ({seconds:.1f} s): {counts or event.reason or 'no check'}")
            case StackDown():
                left = ", ".join(event.leftovers)
                kept = "is kept running" if event.kept else "is down"
                self.say(f"stack {event.stack} {kept}" + (f"; LEFT OVER: {left}" if left else ""))

    def _move(self, text: str) -> None:
        if self._status is not None:
            self._status.update(f"[{self._elapsed():.0f} s] phase {self._phase} · {text}".replace("[", r"\[", 1))

    def _elapsed(self) -> float:
        return self._clock() - self._begun
