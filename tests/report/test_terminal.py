from __future__ import annotations

import io
from collections.abc import Callable

import pytest
from report_fixtures import phase_events, result, started
from rich.console import Console

from playbook.evidence.events import PhasePlan, RunEnded
from playbook.evidence.run import Run
from playbook.report.matrix import matrix_of
from playbook.report.terminal import matrix_table, matrix_text, print_run
from playbook.report.verdict import verdict_of

pytestmark = pytest.mark.unit


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


class TestText:
    """Without a terminal the same words come as plain lines."""

    def test_ends_with_the_verdict_in_one_line(self, rich_run: Run) -> None:
        out = io.StringIO()
        print_run(rich_run.record, out)
        assert out.getvalue().splitlines()[-1] == verdict_of(rich_run.record).line

    def test_has_no_escape_sequence(self, rich_run: Run) -> None:
        out = io.StringIO()
        print_run(rich_run.record, out)
        assert "\x1b" not in out.getvalue()

    def test_columns_are_aligned(self, rich_run: Run) -> None:
        lines = matrix_text(matrix_of(rich_run.results, rich_run.record.kill_matrix)).splitlines()
        start = lines[0].index("found")
        assert all(line[start - 1] == " " and line[start] != " " for line in lines if line.startswith("  "))

    def test_says_what_was_not_shown(self, rich_run: Run) -> None:
        out = io.StringIO()
        print_run(rich_run.record, out)
        assert "○ not tried in this profile: 1 sabotage" in out.getvalue()
        assert "which nobody named" in out.getvalue()

    def test_sums_up_each_phase(self, rich_run: Run) -> None:
        out = io.StringIO()
        print_run(rich_run.record, out)
        (line,) = [one for one in out.getvalue().splitlines() if one.startswith("30 tenant isolation")]
        for words in ("✖ fail", "1 of 9 fail", "3 of 5 caught, 1 not tried", "12.5 s"):
            assert words in line


class TestTable:
    """On a terminal the matrix is a table, and evidence is no markup in it."""

    def test_all_checks_are_in_it(self, rich_run: Run) -> None:
        rows = matrix_of(rich_run.results, rich_run.record.kill_matrix)
        console = Console(file=io.StringIO(), width=140)
        console.print(matrix_table(rows))
        text = console.file.getvalue()  # type: ignore[attr-defined]
        assert all(row.check in text for row in rows)

    def test_a_terminal_gets_the_table_and_the_line(self, rich_run: Run) -> None:
        out = Terminal()
        print_run(rich_run.record, out)
        assert "rls.insert.denied" in out.getvalue()
        assert "FAIL" in out.getvalue()


class TestVerdict:
    """The line says everything that weakens the run."""

    def test_dirty_source_edited_notebook_and_left_out_switch(self, make_run: Callable[..., Run]) -> None:
        plan = PhasePlan(id="30", notebook="30_tenant_isolation")
        first = started(phases=(plan,), parameters={"without": ["secret_required"]})
        assert first.checkout is not None
        first = first.model_copy(update={"checkout": first.checkout.model_copy(update={"dirty": True})})
        begin, *rest = phase_events(plan, [result("a.b", "pass")])
        run = make_run([first, begin.model_copy(update={"edited": True}), *rest, RunEnded()])
        line = verdict_of(run.record).line
        assert line.startswith("✔ PASS · reference")
        assert "+ uncommitted changes" in line
        assert "edited notebooks: 30_tenant_isolation" in line
        assert "left out as asked: secret_required" in line

    def test_a_run_without_git_says_so(self, make_run: Callable[..., Run]) -> None:
        first = started()
        assert first.checkout is not None
        first = first.model_copy(update={"checkout": first.checkout.model_copy(update={"commit": None, "dirty": None})})
        assert "no commit, sources abababab" in verdict_of(make_run([first, RunEnded()]).record).line
