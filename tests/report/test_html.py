from __future__ import annotations

import re
from collections.abc import Callable
from html.parser import HTMLParser

import pytest
from report_fixtures import NASTY, events_of_a_rich_run, phase_events, result, run_of, started

from playbook.evidence.events import Interrupted, PhasePlan, RunEnded
from playbook.evidence.run import Run
from playbook.report.html import POLICY, SIZE_LIMIT, render_html
from playbook.report.page import SUBJECT_LIMIT
from playbook.report.requirements import Mappings

pytestmark = pytest.mark.unit

MAPPINGS = Mappings.model_validate(
    {
        "version": 1,
        "requirements": {
            "MT-4": {"title": "row security", "phases": ["30"], "checks": ["rls.read.own-only"]},
            "AC-1": {"title": "passwords hashed", "phases": ["40"]},
        },
        "standards": {
            "asvs_5": [
                {"control": "8.4.1", "title": "Cross-tenant controls", "requirements": ["MT-4"], "strength": "strong"}
            ],
            "soc_2": [
                {
                    "control": "A1.3",
                    "title": "Recovery tested",
                    "requirements": ["AC-1"],
                    "strength": "partial",
                    "why": "a disposable copy",
                }
            ],
        },
    }
)


class Reader(HTMLParser):
    """Collects tags and text of a document."""

    def __init__(self, document: bytes) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(document.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.fixture
def document(rich_run: Run) -> bytes:
    return render_html(rich_run, mappings=MAPPINGS)


@pytest.fixture
def reader(document: bytes) -> Reader:
    return Reader(document)


class TestOneFile:
    """The report loads nothing, runs nothing and is small."""

    def test_its_policy_allows_nothing_but_its_own_styles_and_pictures(self, reader: Reader) -> None:
        policies = [m["content"] for m in reader.all("meta") if m.get("http-equiv") == "Content-Security-Policy"]
        assert policies == [POLICY]
        assert POLICY.startswith("default-src 'none'; style-src 'unsafe-inline'; img-src data:")

    def test_no_script_frame_or_form(self, reader: Reader) -> None:
        assert not {tag for tag, _ in reader.tags} & {"script", "iframe", "object", "embed", "form", "base", "video"}

    def test_nothing_points_outside(self, reader: Reader) -> None:
        for _, attributes in reader.tags:
            assert not [name for name in attributes if name.startswith("on")]
            for name in ("src", "href", "action", "data", "poster", "srcset"):
                value = attributes.get(name)
                assert value is None or re.match(r"data:|notebooks/[a-z0-9_.]+$|#", value), value

    def test_styles_load_nothing(self, document: bytes) -> None:
        (style,) = re.findall(rb"<style>(.*?)</style>", document, re.DOTALL)
        assert b"url(" not in style
        assert b"@import" not in style

    def test_is_under_a_megabyte_with_many_subjects(self, make_run: Callable[..., Run]) -> None:
        plan = PhasePlan(id="30", notebook="30_tenant_isolation")
        results = [
            result("rls.read.own-only", "fail", state=state, subject=f"public.t{n}", actual="x" * 3000)
            for n in range(400)
            for state in ("found", "hardened")
        ]
        run = make_run([started(phases=(plan,)), *phase_events(plan, results), RunEnded()])
        document = render_html(run)
        assert len(document) < 1_000_000
        assert f"{400 - SUBJECT_LIMIT} more subjects" in Reader(document).text

    def test_shows_fewer_subjects_rather_than_growing_beyond_what_can_be_mailed(
        self, make_run: Callable[..., Run]
    ) -> None:
        plan = PhasePlan(id="30", notebook="30_tenant_isolation")
        results = [
            result("rls.read.own-only", "fail", state="found", subject=f"public.t{n}", reason="&" * 900)
            for n in range(SUBJECT_LIMIT)
        ]
        run = make_run([started(phases=(plan,)), *phase_events(plan, results), RunEnded()])
        whole = render_html(run)
        assert len(whole) < SIZE_LIMIT
        less = render_html(run, size_limit=len(whole) - 1)
        assert len(less) < len(whole)
        assert f"{SUBJECT_LIMIT - SUBJECT_LIMIT // 8} more subjects" in Reader(less).text

    def test_the_same_run_gives_the_same_bytes(self, document: bytes) -> None:
        assert render_html(run_of(events_of_a_rich_run()), mappings=MAPPINGS) == document


class TestHostileText:
    """What the service answered is shown and never obeyed."""

    def test_markup_is_shown_as_text(self, reader: Reader) -> None:
        assert NASTY in reader.text
        assert "onerror" not in {name for _, attributes in reader.tags for name in attributes}

    def test_control_and_direction_marks_are_spelt(self, document: bytes) -> None:
        text = document.decode()
        assert "\x1b" not in text
        assert "\u202e" not in text


class TestContent:
    """A reader finds outcome, gaps and reasons without looking for them."""

    def test_begins_with_verdict_and_what_is_missing(self, reader: Reader) -> None:
        start = reader.text.split("Matrix of checks")[0]
        for words in (
            "✖ FAIL", "local", "profile quick", "commit cccccccccc", "run by playbook", "6 checks",
            "6 of 7 sabotages tried", "What this run does not show", "not covered: 1 requirement: AC-1",
            "passwords hashed",
        ):  # fmt: skip
            assert words in start

    def test_the_verdict_is_one_line_with_source_stack_and_profile(self, document: bytes) -> None:
        (line,) = re.findall(r"<strong>(✖ FAIL.*)</strong>", document.decode())
        assert line == ("✖ FAIL · commit cccccccccc, clean · stack local · profile quick · 1 not tried, 1 not covered")

    def test_uncommitted_changes_are_in_the_first_line(self, make_run: Callable[..., Run]) -> None:
        first = started()
        first = first.model_copy(update={"checkout": first.checkout.model_copy(update={"dirty": True})})
        document = render_html(make_run([first, RunEnded()])).decode()
        (line,) = re.findall(r"<strong>(.*commit.*)</strong>", document)
        assert line.endswith(" · commit cccccccccc + uncommitted changes · no stack · profile quick")

    def test_matrix_has_each_check_with_glyph_and_word(self, reader: Reader) -> None:
        for words in ("✖ fail 3 of 3", "✔ pass 3 of 3", "✖ 2 of 2 caught, 1 not tried", "! 0 of 1 caught, 1 survived"):
            assert words in reader.text

    def test_a_failure_tells_expected_seen_reason_and_remedy(self, reader: Reader) -> None:
        part = reader.text.split("What did not pass")[-1].split("Phases and their notebooks")[0]
        for words in (
            "rls.insert.denied",
            "public.users",
            "expected eq 0",
            "Reason",
            "Remedy Mend it.",
            "insert into users",
        ):
            assert words in part

    def test_a_survived_sabotage_is_told_as_a_check_that_cannot_fail(self, reader: Reader) -> None:
        assert "cannot_fail" in reader.text
        assert "sabotage context-kept left it green" in reader.text

    def test_inverted_controls_and_false_alarms(self, reader: Reader) -> None:
        part = reader.text.split("Inverted controls")[1]
        assert "✔ every check survived" in part
        assert "! false alarm" in part

    def test_executed_notebooks_are_linked(self, reader: Reader) -> None:
        assert "notebooks/30_tenant_isolation.ipynb" in {a.get("href") for a in reader.all("a")}

    def test_says_how_to_verify_and_run_again(self, reader: Reader) -> None:
        assert "playbook verify 20261120T100000Z-reference-0a1b2c" in reader.text
        assert "playbook run reference --profile quick --stack local --seed 1" in reader.text

    def test_controls_say_how_strongly_and_why_not_more(self, reader: Reader) -> None:
        part = reader.text.split("Controls of standards")[1]
        assert "OWASP ASVS 5.0" in part
        assert "8.4.1 Cross-tenant controls MT-4 ✔ pass strong" in part
        assert "A1.3 Recovery tested AC-1 ○ not shown a disposable copy" in part

    def test_requirements_have_the_outcome_of_their_checks(self, reader: Reader) -> None:
        part = reader.text.split("What the plans require")[1]
        assert "MT-4 row security ✔ pass ✔ pass rls.read.own-only" in part


class TestAccessible:
    """Tables and pictures speak to those who do not see them."""

    def test_language_and_title(self, reader: Reader) -> None:
        assert reader.all("html") == [{"lang": "en"}]
        assert "✖ FAIL · reference" in reader.text

    def test_every_table_has_a_caption_and_every_heading_a_scope(self, reader: Reader) -> None:
        assert len(reader.all("caption")) == len(reader.all("table"))
        assert all(heading.get("scope") for heading in reader.all("th"))

    def test_every_picture_has_its_text(self, reader: Reader) -> None:
        pictures = reader.all("img")
        assert len(pictures) == 3
        assert "hardened: 1 fail, 2 error" in str(pictures[0]["alt"])
        assert all(picture["alt"] for picture in pictures)


class TestPoorRuns:
    """A run that came to nothing still gets a report that says so."""

    def test_interrupted_before_any_phase(self, make_run: Callable[..., Run]) -> None:
        run = make_run([started(), Interrupted(reason="the runner is gone without a word")])
        text = Reader(render_html(run, mappings=MAPPINGS)).text
        assert "! ERROR" in text
        assert "the runner is gone" in text
        assert "No phase ran." in text

    def test_a_phase_that_reported_nothing_shows_what_was_planned(self, make_run: Callable[..., Run]) -> None:
        plan = PhasePlan(id="30", notebook="30_tenant_isolation", checks=("rls.read.own-only",))
        run = make_run([started(phases=(plan,)), *phase_events(plan, [], outcome="error", code="crashed"), RunEnded()])
        text = Reader(render_html(run)).text
        assert "planned, but it reported nothing" in text
        assert "was planned, but gave no result" in text
