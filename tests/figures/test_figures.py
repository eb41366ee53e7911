from __future__ import annotations

import io
from itertools import combinations

import pytest
from PIL import Image

from playbook.figures import (
    MARKS,
    Cell,
    CountedBar,
    Figure,
    HeatRow,
    LimitLane,
    OutcomeRow,
    OwnedTable,
    PartStart,
    Sent,
    heat_map,
    limit_timeline,
    outcome_counts,
    outcome_matrix,
    ownership_graph,
    start_times,
)

pytestmark = pytest.mark.unit

ROWS = [
    OutcomeRow(
        "rls.read.own-only", (Cell("fail", "fail 4 of 4"), Cell("pass", "pass 4 of 4"), Cell("caught", "2 of 2 caught"))
    ),
    OutcomeRow("rls.context.unset", (Cell("fail", "fail"), Cell("error", "error"), Cell("survived", "1 survived"))),
]
PARTS = [PartStart("app", 0.9, 2.1), PartStart("postgres", 0.0, 0.8), PartStart("proxy", 1.0, None)]
LANES = [
    LimitLane("login", 2, 5, (Sent(0.0, 200, True), Sent(0.1, 200, True), Sent(0.2, 429, False), Sent(5.2, 200, True))),
    LimitLane("reads", 3, 5, (Sent(0.0, 200, True),)),
]
HEAT = [
    HeatRow("public.documents", (("fail", "fail"), ("pass", "pass"), ("caught", "not_tried"))),
    HeatRow("public.plans", (("pass", "absent"), ("pass", "absent"), ("caught", "absent"))),
]
OWNED = [
    OwnedTable("public.notes", "undecided"),
    OwnedTable("public.documents", "inherited", "user_id", "public.users"),
    OwnedTable("public.users", "direct", "tenant_id", "public.tenants"),
    OwnedTable("public.tenants", "root"),
]
BARS = [CountedBar("found", {"fail": 3, "pass": 1}), CountedBar("hardened", {"pass": 4})]


def _light(hex_colour: str) -> float:
    def linear(part: int) -> float:
        value = part / 255
        return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4

    red, green, blue = (linear(int(hex_colour[at : at + 2], 16)) for at in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Contrast of two colours (WCAG 2.2)."""
    lights = sorted((_light(one), _light(other)))
    return (lights[1] + 0.05) / (lights[0] + 0.05)


class TestMarks:
    """No outcome is told by colour alone, and every sign can be read."""

    @pytest.mark.parametrize("kind", list(MARKS))
    def test_ink_stands_out_from_its_fill_and_from_white(self, kind: str) -> None:
        mark = MARKS[kind]  # type: ignore[index]
        assert contrast(mark.ink, mark.fill) >= 4.5
        assert contrast(mark.ink, "#ffffff") >= 4.5

    def test_words_differ(self) -> None:
        assert all(one.word != other.word for one, other in combinations(MARKS.values(), 2))


def drawn_heat(rows: list[HeatRow]) -> Figure:
    states = ("found", "hardened", "sabotaged")
    return heat_map(rows, questions=("read", "move"), states=states, title="Attempts", name="heat")


@pytest.mark.parametrize(
    "figure",
    [
        outcome_matrix(ROWS),
        start_times(PARTS),
        outcome_counts(BARS),
        limit_timeline(LANES),
        drawn_heat(HEAT),
        ownership_graph(OWNED),
    ],
    ids=lambda f: f.name,
)
class TestFigure:
    """A picture stands on a white card, with alt text and its data."""

    def test_png_is_a_white_card(self, figure: Figure) -> None:
        image = Image.open(io.BytesIO(figure.png)).convert("RGB")
        assert image.width > 600
        assert {image.getpixel(at) for at in ((0, 0), (image.width - 1, image.height - 1))} == {(255, 255, 255)}

    def test_rows_are_as_wide_as_the_columns(self, figure: Figure) -> None:
        assert all(len(row) == len(figure.table.columns) for row in figure.table.rows)


class TestOutcomeMatrix:
    """The matrix says in words what the colours say."""

    def test_alt_text_counts_each_state(self) -> None:
        alt = outcome_matrix(ROWS).alt
        assert "2 checks" in alt
        assert "found: 2 fail; hardened: 1 error, 1 pass; sabotaged: 1 caught, 1 survived" in alt

    def test_table_has_glyph_and_word(self) -> None:
        assert outcome_matrix(ROWS).table.rows[0] == (
            "rls.read.own-only", "✖ fail 4 of 4", "✔ pass 4 of 4", "✖ 2 of 2 caught",
        )  # fmt: skip

    def test_same_data_same_picture(self) -> None:
        one, other = outcome_matrix(ROWS), outcome_matrix(ROWS)
        assert one.png == other.png

    @pytest.mark.parametrize("rows", [[], [OutcomeRow("a.b", (Cell("pass", "pass"),))]])
    def test_no_row_or_a_short_one_is_refused(self, rows: list[OutcomeRow]) -> None:
        with pytest.raises(ValueError, match="at least one row"):
            outcome_matrix(rows)


class TestHeatMap:
    """Subjects by questions, state by state; what was not asked is left white and empty."""

    def test_alt_text_counts_each_state(self) -> None:
        alt = drawn_heat(HEAT).alt
        assert "2 subjects by 2 questions (read, move)" in alt
        assert "found: 2 fail, 1 pass; hardened: 3 pass; sabotaged: 2 caught, 1 not tried" in alt

    def test_table_has_the_sign_of_each_state(self) -> None:
        assert drawn_heat(HEAT).table.rows == (
            ("public.documents", "✖ → ✔ → ✖", "✖ → ✔ → ○"),
            ("public.plans", "✔ → ✔ → ✖", ""),
        )

    @pytest.mark.parametrize("rows", [[], [HeatRow("a", (("pass",),))]])
    def test_no_row_or_a_short_one_is_refused(self, rows: list[HeatRow]) -> None:
        with pytest.raises(ValueError, match="at least one row"):
            drawn_heat(rows)


class TestStartTimes:
    """Parts stand in the order of their start, and one that never became healthy is said."""

    def test_order_and_numbers(self) -> None:
        figure = start_times(PARTS)
        assert figure.table.rows == (
            ("postgres", "0.00", "0.80", "0.80"),
            ("app", "0.90", "2.10", "1.20"),
            ("proxy", "1.00", "never", ""),
        )
        assert "proxy started at 1.00 s and was never healthy" in figure.alt

    def test_nothing_started_is_refused(self) -> None:
        with pytest.raises(ValueError, match="no part"):
            start_times([])


class TestOwnershipGraph:
    """Each table hangs on the one that it reaches its tenant through; none is left out."""

    def test_every_table_is_in_it_parents_first(self) -> None:
        figure = ownership_graph(OWNED)
        assert [row[0] for row in figure.table.rows] == [
            "public.tenants",
            "public.users",
            "public.documents",
            "public.notes",
        ]
        assert "public.documents (inherited) by user_id through public.users" in figure.alt
        assert "public.notes (undecided)" in figure.alt

    def test_a_table_that_hangs_on_itself_is_drawn_once(self) -> None:
        loop = [*OWNED, OwnedTable("public.posts", "inherited", "parent_id", "public.posts")]
        assert len(ownership_graph(loop).table.rows) == 5

    @pytest.mark.parametrize("tables", [[], OWNED[:1], [OWNED[3], OWNED[3]]])
    def test_one_root_is_needed(self, tables: list[OwnedTable]) -> None:
        with pytest.raises(ValueError, match="there must be one"):
            ownership_graph(tables)


class TestOutcomeCounts:
    """Bars count; a kind that nobody has is not drawn."""

    def test_alt_text_and_table(self) -> None:
        figure = outcome_counts(BARS)
        assert "found: 3 fail, 1 pass; hardened: 4 pass" in figure.alt
        assert figure.table.rows == (("found", "1", "3"), ("hardened", "4", "0"))

    def test_nothing_counted_is_refused(self) -> None:
        with pytest.raises(ValueError, match="nothing was counted"):
            outcome_counts([CountedBar("found", {})])


class TestLimitTimeline:
    """The count of a window rises to the line and falls when the window has passed."""

    def test_counts_by_window(self) -> None:
        assert [LANES[0].within(one.at_s) for one in LANES[0].sent] == [1, 2, 2, 1]

    def test_alt_text_and_table(self) -> None:
        figure = limit_timeline(LANES)
        assert "login: 3 let through, 1 refused, at most 2 of 2 in 5 s" in figure.alt
        assert figure.table.rows == (
            ("login", "2 in 5 s", "0 to 1", "2", "1", "429"),
            ("login", "2 in 5 s", "5 to 6", "1", "0", "–"),  # noqa: RUF001
            ("reads", "3 in 5 s", "0 to 1", "1", "0", "–"),  # noqa: RUF001
        )

    def test_nothing_sent_is_refused(self) -> None:
        with pytest.raises(ValueError, match="nothing was sent"):
            limit_timeline([LimitLane("login", 2, 5, ())])
