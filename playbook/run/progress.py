"""
Owns telling a person how far a run is: moving lines on a terminal, plain lines elsewhere, both on stderr.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self, TextIO

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from playbook.evidence.chain import Entry
from playbook.evidence.client import DirectEmitter
from playbook.evidence.events import (
    CheckDone,
    Event,
    KillTried,
    PhaseEnded,
    PhaseStarted,
    RunEnded,
    RunStarted,
    StackDown,
    StackUp,
)
from playbook.evidence.settle import settle
from playbook.run.course import Course
from playbook.run.pace import Pace, read_pace

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

    def emit_all(self, events: Sequence[Event]) -> None:
        """
        Store events together, then tell of each.
        """
        for entry in self.log.append_all([settle(event, self.redactor) for event in events]):
            self.hear(entry.event)


class Progress:
    """
    Hears the events of a run; a context manager. `home` is where past runs tell how long this one takes.

    On a terminal phase, check, elapsed and expected time move in two lines, and what failed in the state `hardened`
    is written above them. Elsewhere each phase begins and ends with a line.
    """

    def __init__(
        self, *, home: Path | None = None, stream: TextIO | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._console = Console(file=stream or sys.stderr, highlight=False, soft_wrap=True)
        self._home = home
        self._clock = clock
        self._begun = clock()
        self._course = Course((), Pace())
        self._now = "starting"
        self._counts: dict[str, int] = {}
        self._reason_told: str | None = None
        self._spinner = Spinner("dots")
        self._live: Live | None = None

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._live = Live(console=self._console, get_renderable=self._picture, refresh_per_second=5, transient=True)
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def say(self, text: str) -> None:
        """
        Write one line, with the elapsed seconds.
        """
        self._console.print(f"[{self._elapsed():6.1f} s] {text}", markup=False)

    def say_step(self, step: str) -> None:
        """
        Tell a step of the stack's start.
        """
        self._now = f"stack: {step}"

    def hear(self, event: Event) -> None:
        """
        Take note of one event.
        """
        match event:
            case RunStarted():
                self._start(event)
            case StackUp():
                self.say(f"stack {event.stack} is up ({event.backend}, {event.duration_s:.1f} s)")
            case PhaseStarted():
                self._counts = {}
                self._reason_told = None
                self._course.enter(event.plan.id, self._elapsed())
                self._now = "opening the notebook"
                self.say(self._course.opening(event.plan.notebook))
            case CheckDone(result=result):
                key = f"{result.state.partition(':')[0]} {result.outcome}"
                self._counts[key] = self._counts.get(key, 0) + 1
                subject = f" [{result.subject}]" if result.subject else ""
                if result.state == "hardened" and result.outcome in ("fail", "error"):
                    self.say(f"  {GLYPHS[result.outcome]} {result.id}{subject} {result.outcome}")
                self._now = f"{result.id}{subject} · {result.state}"
            case KillTried(result="survived" | "void") if not event.harmless:
                self.say(f"  ! sabotage {event.sabotage} {event.result} for {event.check}: {self._reason(event)}")
            case PhaseEnded():
                counts = ", ".join(f"{n} {key}" for key, n in sorted(self._counts.items()))
                seconds = self._course.leave(self._elapsed())
                self.say(f"phase {event.phase} ended ({seconds:.1f} s): {counts or event.reason or 'no check'}")
            case StackDown():
                left = ", ".join(event.leftovers)
                kept = "is kept running" if event.kept else "is down"
                self.say(f"stack {event.stack} {kept}" + (f"; LEFT OVER: {left}" if left else ""))
            case RunEnded():
                self._now = "writing the report, sealing the evidence"

    def _reason(self, event: KillTried) -> str | None:
        # A red baseline voids hundreds of entries of a phase for one reason.
        if event.reason is not None and event.reason == self._reason_told:
            return "the same"
        self._reason_told = event.reason
        return event.reason

    def _start(self, event: RunStarted) -> None:
        self._begun = self._clock()
        backend = str(event.parameters.get("stack"))
        pace = Pace()
        if self._home is not None:
            pace = read_pace(self._home, scenario=event.scenario, profile=event.profile, backend=backend)
        self._course = Course(tuple(plan.id for plan in event.phases), pace)
        self.say(f"{event.run_id}: {self._course.prospect()}")

    def _picture(self) -> RenderableType:
        elapsed = self._elapsed()
        line = Table.grid(padding=(0, 1))
        total = self._course.total_s
        bar = ProgressBar(total=total or 1.0, completed=self._course.done_s(elapsed) if total else 0.0, width=24)
        line.add_row(self._spinner, Text(self._course.place, style="bold"), bar, Text(self._course.times(elapsed)))
        return Group(line, Text(f"  {self._now}", style="dim", no_wrap=True, overflow="ellipsis"))

    def _elapsed(self) -> float:
        return self._clock() - self._begun
