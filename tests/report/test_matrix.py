from __future__ import annotations

import pytest
from report_fixtures import kill, result

from playbook.evidence.events import KillTried
from playbook.evidence.result import CheckResult, Control
from playbook.figures.marks import Cell
from playbook.report.kills import count_pairs, sabotage_rows
from playbook.report.matrix import MatrixRow, matrix_of, state_cell

pytestmark = pytest.mark.unit

CHECK = "rls.read.own-only"


def row_of(*kills: KillTried) -> MatrixRow:
    return matrix_of([result(CHECK, "pass")], kills)[0]


class TestStateCell:
    """A cell says the worst of its subjects, and of how many."""

    def test_nothing_seen_is_not_run(self) -> None:
        assert state_cell([]).kind == "absent"

    def test_the_whole_has_no_count(self) -> None:
        assert state_cell([result(CHECK, "fail")]) == Cell("fail", "fail")

    def test_a_fail_outweighs_an_error_and_both_are_counted(self) -> None:
        results = [
            result(CHECK, outcome, subject=f"s{n}") for n, outcome in enumerate(["pass", "error", "fail", "fail"])
        ]
        assert state_cell(results) == Cell("fail", "fail 2 of 4, 1 error")

    def test_a_skip_beside_a_pass_does_not_hide(self) -> None:
        results = [result(CHECK, "pass", subject="a"), result(CHECK, "skip", subject="b")]
        assert state_cell(results) == Cell("pass", "pass 1 of 2, 1 skip")

    def test_one_subject_twice_counts_once_by_its_worst(self) -> None:
        results = [result(CHECK, "fail", subject="a"), result(CHECK, "pass", subject="a")]
        assert state_cell(results) == Cell("fail", "fail 1 of 1")


class TestSabotagedCell:
    """The last column says whether the check can fail, and how one knows."""

    def test_no_sabotage_at_all(self) -> None:
        assert row_of().sabotaged == Cell("not_tried", "not tried: no sabotage ran")

    def test_reference_service_only(self) -> None:
        seen = result(CHECK, "pass", state="found", control=Control(status="reference", killed_by=("x",)))
        assert matrix_of([seen], [])[0].sabotaged == Cell("not_tried", "on the reference service only")

    def test_all_caught(self) -> None:
        row = row_of(kill("a", CHECK), kill("b", CHECK))
        assert row.sabotaged == Cell("caught", "2 of 2 caught")

    def test_left_out_ones_are_told_beside(self) -> None:
        row = row_of(kill("a", CHECK), kill("b", CHECK, answer="not_tried"))
        assert row.sabotaged == Cell("caught", "1 of 1 caught, 1 not tried")

    def test_all_left_out(self) -> None:
        assert row_of(kill("b", CHECK, answer="not_tried")).sabotaged.kind == "not_tried"

    @pytest.mark.parametrize("answer", ["survived", "void"])
    def test_one_that_survived_or_proved_nothing_decides(self, answer: str) -> None:
        row = row_of(kill("a", CHECK), kill("b", CHECK, answer=answer))
        assert row.sabotaged == Cell(answer, f"1 of 2 caught, 1 {answer}")  # type: ignore[arg-type]

    def test_the_same_fault_on_two_tables_counts_once(self) -> None:
        kills = [kill("a", CHECK, mechanism="dropped"), kill("b", CHECK, mechanism="dropped")]
        assert row_of(*kills).sabotaged.words == "1 of 1 caught"
        assert count_pairs(sabotage_rows(kills)) == (1, 1)

    def test_undeclared_red_is_a_false_alarm_and_no_kill(self) -> None:
        row = row_of(kill("a", CHECK, declared=False))
        assert row.false_alarms == ("a",)
        assert row.sabotaged.kind == "not_tried"

    def test_a_harmless_change_is_no_sabotage(self) -> None:
        kills = [kill("spelling", "*", answer="survived", harmless=True)]
        assert count_pairs(sabotage_rows(kills)) == (0, 0)
        assert sabotage_rows(kills)[0].as_declared


class TestMatrix:
    """Every check that was planned or reported has its row."""

    def test_ordered_by_phase(self) -> None:
        results: list[CheckResult] = [result("b.late", "pass", phase="30"), result("a.early", "pass", phase="10")]
        assert [row.check for row in matrix_of(results, [])] == ["a.early", "b.late"]

    def test_a_planned_check_without_result_is_shown(self) -> None:
        (row,) = matrix_of([], [], planned={"30": [CHECK]})
        assert [cell.kind for cell in row.cells] == ["absent", "absent", "not_tried"]

    def test_subjects_carry_who_killed_them(self) -> None:
        results = [result(CHECK, "pass", subject=name) for name in ("a", "b")]
        (row,) = matrix_of(results, [kill("drop", CHECK, subject="a")])
        assert {one.subject: one.killed_by for one in row.subjects} == {"a": ("drop",), "b": ()}
