from __future__ import annotations

from collections.abc import Callable

import pytest

from playbook.evidence.run import Run
from playbook.report.held import held_of
from playbook.report.history import check_lines, sparkline

pytestmark = pytest.mark.unit


class TestHeld:
    """
    A run is taken short: the worst of each check, what its subjects took together, what keeps it from counting.
    """

    def test_worst_and_sum(self, rich_run: Run) -> None:
        held = held_of(rich_run.record, signers=("ada",))
        assert held.checks["rls.insert.denied"] == "fail"
        assert held.checks["rls.move.denied"] == "skip"
        assert held.durations_s["rls.read.own-only"] == 0.75
        assert (held.signers, held.refused, held.dirty) == (("ada",), None, False)


class TestLines:
    """
    A check's line has a sign for each run, and a dot where it was not asked.
    """

    def test_signs(self, rich_run: Run, make_run: Callable[..., Run]) -> None:
        one = held_of(rich_run.record)
        lines = {line.check: line for line in check_lines([one, one])}
        assert lines["rls.insert.denied"].signs == "✖✖"
        assert lines["rls.context.unset"].signs == "!!"

    def test_sparkline(self) -> None:
        assert sparkline([0.0, 1.0, None, 8.0]) == "▁▂ █"
        assert sparkline([]) == ""
        assert sparkline([0.0, None]) == "▁ "
