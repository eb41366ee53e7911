from __future__ import annotations

from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import Any

import pytest

from playbook.evidence.result import CheckResult
from playbook.figures import Cell, OutcomeRow, outcome_matrix
from playbook.notebook import (
    Card,
    FigureView,
    Table,
    VerdictView,
    kill_table,
    matrix_picture,
    matrix_table,
    results_table,
)
from playbook.notebook.table import ROW_LIMIT
from playbook.proof.matrix import KillEntry

pytestmark = pytest.mark.unit

NASTY = "<script>alert(1)</script>\x1b[31m|\u202e"


def seen(check: str, outcome: str, **more: Any) -> CheckResult:
    fields: dict[str, Any] = {
        "id": check,
        "title": "A question",
        "phase": "30",
        "state": "found",
        "expected": 0,
        "actual": {"pass": 0, "fail": 7}.get(outcome),
        "outcome": outcome,
        "code": {"error": "crashed", "skip": "unavailable"}.get(outcome),
        "reason": None if outcome in ("pass", "fail") else "not possible",
        "started": datetime(2026, 11, 20, tzinfo=UTC),
        "duration_s": 0.1,
    }
    return CheckResult.model_validate(fields | more)


def kill(sabotage: str, answer: Any = "killed", *, subject: str | None = None, **more: Any) -> KillEntry:
    fields: dict[str, Any] = {"sabotage": sabotage, "protection": "policy", "mechanism": sabotage, "check": "rls.read"}
    return KillEntry(**(fields | {"subject": subject, "result": answer} | more))


class Tags(HTMLParser):
    """Collects tags."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))


FIGURE = FigureView(
    outcome_matrix([OutcomeRow("a.b", (Cell("fail", "fail"), Cell("pass", "pass"), Cell("caught", "1 of 1")))])
)


@pytest.mark.parametrize(
    "display",
    [
        Table(("name", "value"), [(NASTY, NASTY)], caption=NASTY),
        results_table([seen("rls.read", "fail", actual=NASTY, subject=NASTY, reason=NASTY)]),
        kill_table([kill("drop", "void", subject=NASTY, reason=NASTY)]),
        Card(NASTY, [NASTY]),
        VerdictView("fail", NASTY, [NASTY]),
        FIGURE,
    ],
    ids=lambda display: type(display).__name__,
)
class TestEveryDisplay:
    """An output is words on paper, and never runs what it shows."""

    def test_html_has_no_script_and_keeps_styles_on_elements(self, display: Any) -> None:
        tags = {tag for tag, _ in Tags(display._repr_html_()).seen}
        assert not tags & {"script", "style", "iframe", "link"}

    def test_nothing_steers_a_terminal(self, display: Any) -> None:
        for text in (repr(display), display._repr_markdown_(), display._repr_html_()):
            assert "\x1b" not in text
            assert "\u202e" not in text

    def test_markdown_carries_no_tag(self, display: Any) -> None:
        assert "<script" not in display._repr_markdown_()

    def test_plain_text_has_no_tag(self, display: Any) -> None:
        assert "<table" not in repr(display)


class TestTable:
    """The same rows stand in each form."""

    TABLE = Table(("check", "outcome"), [("rls.read", Cell("pass", "pass 4 of 4"))], caption="found")

    def test_plain(self) -> None:
        assert repr(self.TABLE).splitlines() == [
            "found",
            "check     outcome",
            "--------  -------------",
            "rls.read  ✔ pass 4 of 4",
        ]

    def test_markdown(self) -> None:
        assert "| rls.read | ✔ pass 4 of 4 |" in self.TABLE._repr_markdown_()

    def test_html_has_scopes_caption_and_both_themes(self) -> None:
        html = self.TABLE._repr_html_()
        assert html.count("scope=") == 3
        assert "<caption" in html
        assert "var(--jp-ui-font-color1, inherit)" in html

    def test_many_rows_are_cut_and_said(self) -> None:
        table = Table(("n",), [(str(n),) for n in range(ROW_LIMIT + 5)])
        for text in (repr(table), table._repr_markdown_(), table._repr_html_()):
            assert "5 more rows are not shown." in text

    def test_a_row_of_another_width_is_refused(self) -> None:
        with pytest.raises(ValueError, match="1 cells for 2 columns"):
            Table(("a", "b"), [("x",)])

    def test_an_empty_table_is_still_a_table(self) -> None:
        assert "check" in repr(Table(("check",), []))


class TestResults:
    """Red stands first; subjects that say the same share a row."""

    def test_worst_first_and_counted(self) -> None:
        table = results_table([seen("a.b", "pass"), seen("c.d", "fail"), seen("e.f", "skip")])
        assert [str(row[0]).split("\n")[0] for row in table.rows] == ["c.d", "e.f", "a.b"]
        assert table.caption == "found: 1 fail, 1 skip, 1 pass"

    def test_equal_subjects_are_folded(self) -> None:
        results = [seen("a.b", "fail", subject=f"t{n}") for n in range(8)]
        (row,) = results_table(results).rows
        assert row[1] == "t0, t1, t2, t3, t4, t5 and 2 more"

    def test_different_sights_are_not(self) -> None:
        assert (
            len(results_table([seen("a.b", "fail", subject="x"), seen("a.b", "fail", subject="y", actual=9)]).rows) == 2
        )

    def test_no_result_is_said(self) -> None:
        assert results_table([]).caption == "nothing: no result"


class TestKills:
    """Each sabotage says what it took away and what turned red."""

    def test_counts_pairs_and_controls(self) -> None:
        entries = [
            kill("drop", subject="a"),
            kill("drop", subject="b"),
            kill("late", "not_tried"),
            kill("spelling", "survived", check="*", harmless=True),
        ]
        table = kill_table(entries)
        assert table.caption == "1 of 2 sabotages tried, 1 harmless change beside them"
        assert table.rows[0][2:] == (Cell("caught", "caught"), "rls.read [a, b]")
        assert table.rows[2][2] == Cell("pass", "every check survived")

    def test_a_false_alarm_and_more_than_named(self) -> None:
        table = kill_table(
            [kill("spelling", harmless=True, declared=False), kill("a"), kill("a", check="x.y", declared=False)]
        )
        assert [row[2] for row in table.rows] == [
            Cell("error", "false alarm"),
            Cell("caught", "caught, and more than it names"),
        ]


class TestThreeStates:
    """The matrix and its picture come from the same rows as the report's."""

    RESULTS = (seen("rls.read", "fail"), seen("rls.read", "pass", state="hardened"))

    def test_table(self) -> None:
        assert "rls.read  ✖ fail   ✔ pass      ✖ 1 of 1 caught" in repr(matrix_table(self.RESULTS, [kill("drop")]))

    def test_picture_has_alt_text_and_table(self) -> None:
        view = matrix_picture(self.RESULTS, [kill("drop")])
        tags = Tags(view._repr_html_()).seen
        (image,) = [attributes for tag, attributes in tags if tag == "img"]
        assert str(image["src"]).startswith("data:image/png;base64,")
        assert "sabotaged: 1 caught" in str(image["alt"])
        assert "table" in {tag for tag, _ in tags}


class TestVerdict:
    """The verdict has glyph and word."""

    @pytest.mark.parametrize(("outcome", "word"), [("pass", "✔ PASS"), ("fail", "✖ FAIL"), ("error", "! ERROR")])
    def test_word(self, outcome: Any, word: str) -> None:
        view = VerdictView(outcome, "phase 30", ["1 fail"])
        assert all(word in text for text in (repr(view), view._repr_markdown_(), view._repr_html_()))
