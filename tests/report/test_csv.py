from __future__ import annotations

import csv
import io
from collections.abc import Callable

import pytest
from report_fixtures import phase_events, result, started

from playbook.evidence.events import PhasePlan, RunEnded
from playbook.evidence.run import Run
from playbook.report.csv import COLUMNS, render_csv

pytestmark = pytest.mark.unit

PLAN = PhasePlan(id="30", notebook="30_tenant_isolation")


def rows_of(run: Run) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(render_csv(run.record).decode(), newline="")))


class TestCsv:
    """Every result is one line, and a spreadsheet executes none of them."""

    def test_has_every_result_of_every_state(self, rich_run: Run) -> None:
        rows = rows_of(rich_run)
        assert len(rows) == len(rich_run.results)
        assert tuple(rows[0]) == COLUMNS
        assert {row["state"] for row in rows} == {"found", "hardened"}

    def test_says_what_counts(self, rich_run: Run) -> None:
        assert {(row["state"], row["counts"]) for row in rows_of(rich_run)} == {("found", "no"), ("hardened", "yes")}

    @pytest.mark.parametrize(
        "text",
        ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =1", '=HYPERLINK("x")', "＝1+1"],  # noqa: RUF001
    )
    def test_no_field_begins_as_a_formula(self, make_run: Callable[..., Run], text: str) -> None:
        seen = result("a.b", "fail", subject=text, title=text, actual=text, reason=text, remedy=text)
        (row,) = rows_of(make_run([started(phases=(PLAN,)), *phase_events(PLAN, [seen]), RunEnded()]))
        for value in row.values():
            assert value.lstrip(" ")[:1] not in set("=+-@\t\r\n＝")  # noqa: RUF001
        assert row["subject"].startswith("'" if text[0] != "\r" else "\\u000d")

    def test_negative_numbers_are_text(self, make_run: Callable[..., Run]) -> None:
        seen = result("a.b", "fail", actual=-5)
        (row,) = rows_of(make_run([started(phases=(PLAN,)), *phase_events(PLAN, [seen]), RunEnded()]))
        assert row["actual"] == "'-5"
