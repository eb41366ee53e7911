"""
Owns where a run stands on its way through the phases, and how long it may still take.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from playbook.report.wording import count_of
from playbook.run.pace import Pace

__all__ = ["Course"]


@dataclass(slots=True)
class Course:
    """
    The phases of a run in order, the pace of the last ones that were alike, and the phase that runs now.

    Times are seconds since the run began.
    """

    phases: Sequence[str]
    pace: Pace
    current: str | None = None
    since_s: float = 0.0
    ended: int = 0

    @property
    def total_s(self) -> float | None:
        """
        How long the whole run should take; None when the past does not say.
        """
        return self.pace.total_s(self.phases)

    @property
    def place(self) -> str:
        """
        Which phase of how many.
        """
        if self.current is None:
            return f"{self.ended} of {count_of(len(self.phases), 'phase')} done" if self.phases else "starting"
        return f"phase {self.current} ({self.ended + 1} of {len(self.phases)})"

    def prospect(self) -> str:
        """
        Say what lies ahead.
        """
        told = f"{count_of(len(self.phases), 'phase')}: {', '.join(self.phases)}"
        total = self.total_s
        return told if total is None else f"{told}; about {total:.0f} s, as last time"

    def opening(self, notebook: str) -> str:
        """
        Say that a phase begins, and how long it took last time.
        """
        title = notebook.partition("_")[2].replace("_", " ")
        last = self.pace.phases.get(self.current or "")
        told = f"phase {self.current} · {title} ({self.ended + 1} of {len(self.phases)}"
        return f"{told})" if last is None else f"{told}, {last:.0f} s last time)"

    def enter(self, phase: str, elapsed_s: float) -> None:
        """
        Note that a phase began.
        """
        self.current, self.since_s = phase, elapsed_s

    def leave(self, elapsed_s: float) -> float:
        """
        Note that the phase ended; return the seconds it took.
        """
        self.current, took_s = None, elapsed_s - self.since_s
        self.ended += 1
        return took_s

    def done_s(self, elapsed_s: float) -> float:
        """
        How much of the expected time is behind: a phase that takes longer than last time stands still at its end.
        """
        behind = sum(self.pace.phases.get(phase, 0.0) for phase in self.phases[: self.ended])
        if self.current is None:
            return behind if self.ended else min(elapsed_s, self.pace.around_s)
        return self.pace.around_s + behind + min(elapsed_s - self.since_s, self.pace.phases.get(self.current, 0.0))

    def times(self, elapsed_s: float) -> str:
        """
        Say elapsed time, and the time left as far as the past tells.
        """
        told = f"{elapsed_s:.0f} s"
        total = self.total_s
        if total is None:
            return f"{told} · no run like it to tell the time left"
        return f"{told} · about {max(0.0, total - self.done_s(elapsed_s)):.0f} s left"
