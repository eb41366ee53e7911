"""
Owns the history of runs: one row each, and for each check a line of signs, oldest first. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from playbook.evidence.outcome import Outcome
from playbook.figures.marks import MARKS
from playbook.report.held import Held

__all__ = ["CheckLine", "check_lines", "sparkline"]

_BARS = "▁▂▃▄▅▆▇█"


@dataclass(frozen=True, slots=True)
class CheckLine:
    """
    One check through all runs. `outcomes` and `durations_s` hold null for runs that did not have it.
    """

    check: str
    outcomes: tuple[Outcome | None, ...]
    durations_s: tuple[float | None, ...]

    @property
    def signs(self) -> str:
        """
        A sign per run: ✔ pass, ✖ fail, ! error; a dot where it was not asked.
        """
        return "".join(MARKS[outcome or "absent"].glyph for outcome in self.outcomes)

    @property
    def bars(self) -> str:
        """
        A bar per run, as high as it took long.
        """
        return sparkline(self.durations_s)


def check_lines(runs: Sequence[Held]) -> tuple[CheckLine, ...]:
    """
    Follow each check through the runs, given oldest first. Read-only.
    """
    names = sorted({name for run in runs for name in run.checks})
    return tuple(
        CheckLine(
            name,
            tuple(run.checks.get(name) for run in runs),
            tuple(run.durations_s.get(name) for run in runs),
        )
        for name in names
    )


def sparkline(values: Sequence[float | None]) -> str:
    """
    Draw values as bars from nought to the largest; a space where there is none.
    """
    top = max((value for value in values if value is not None), default=0.0)
    if top <= 0:
        return "".join(" " if value is None else _BARS[0] for value in values)
    return "".join(" " if value is None else _BARS[min(7, int(value / top * 8))] for value in values)
