from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from xml.etree import ElementTree as ET

import pytest
from junitparser import JUnitXml
from report_fixtures import NASTY, START, kill, phase_events, result, started

from playbook.evidence.events import Interrupted, PhasePlan, RunEnded, Waiver
from playbook.evidence.run import Run
from playbook.report.junit import render_junit

pytestmark = pytest.mark.unit

CHECK = "rls.read.own-only"


def tree_of(run: Run) -> ET.Element:
    return ET.fromstring(render_junit(run.record))


def answers(run: Run) -> dict[str, str]:
    """Name of each case to the tag of its outcome, or `passed`."""
    return {
        case.get("name", ""): next((child.tag for child in case), "passed") for case in tree_of(run).iter("testcase")
    }


def run_with(
    make_run: Callable[..., Run], *results: object, mode: str = "harden", kills: tuple[object, ...] = (), **more: object
) -> Run:
    plan = PhasePlan.model_validate({"id": "30", "notebook": "30_tenant_isolation", "mode": mode})
    return make_run([started(phases=(plan,), **more), *phase_events(plan, results, kills), RunEnded()])  # type: ignore[arg-type]


class TestOutcomes:
    """Only what counts is a test case, and it ends as CONTRACTS §1 says."""

    @pytest.mark.parametrize(
        ("outcome", "tag"), [("pass", "passed"), ("fail", "failure"), ("error", "error"), ("skip", "skipped")]
    )
    def test_hardened_counts_in_harden(self, make_run: Callable[..., Run], outcome: str, tag: str) -> None:
        run = run_with(make_run, result(CHECK, "fail", state="found"), result(CHECK, outcome))
        assert answers(run) == {CHECK: tag}

    @pytest.mark.parametrize(
        ("outcome", "tag"), [("pass", "passed"), ("fail", "failure"), ("error", "error"), ("skip", "skipped")]
    )
    def test_found_counts_in_audit(self, make_run: Callable[..., Run], outcome: str, tag: str) -> None:
        run = run_with(make_run, result(CHECK, outcome, state="found"), mode="audit")
        assert answers(run) == {CHECK: tag}

    def test_a_red_under_sabotage_is_no_case(self, make_run: Callable[..., Run]) -> None:
        run = run_with(
            make_run,
            result(CHECK, "pass"),
            result(CHECK, "fail", state="sabotaged:policy-dropped"),
            kills=(kill("policy-dropped", CHECK),),
        )
        assert answers(run) == {CHECK: "passed"}

    @pytest.mark.parametrize(("answer", "code"), [("survived", "cannot_fail"), ("void", "void")])
    def test_a_check_that_could_not_be_shown_to_fail_is_an_error(
        self, make_run: Callable[..., Run], answer: str, code: str
    ) -> None:
        run = run_with(make_run, result(CHECK, "pass"), kills=(kill("policy-dropped", CHECK, answer=answer),))
        assert [error.get("type") for error in tree_of(run).iter("error")] == [code]

    def test_undeclared_red_is_a_case_of_its_own(self, make_run: Callable[..., Run]) -> None:
        run = run_with(make_run, result(CHECK, "pass"), kills=(kill("other", CHECK, declared=False),))
        assert answers(run) == {CHECK: "passed", f"{CHECK} other": "error"}

    def test_a_waived_failure_is_skipped_with_its_owner(self, make_run: Callable[..., Run]) -> None:
        waiver = Waiver(check=CHECK, owner="ada", reason="moves next week", expires=(START + timedelta(days=9)).date())
        run = run_with(make_run, result(CHECK, "fail"), result("rls.other.thing", "pass"), waivers=(waiver,))
        (skipped,) = tree_of(run).iter("skipped")
        assert "waived by ada" in str(skipped.get("message"))

    def test_subjects_are_cases(self, make_run: Callable[..., Run]) -> None:
        run = run_with(make_run, result(CHECK, "pass", subject="public.a"), result(CHECK, "fail", subject="public.b"))
        assert answers(run) == {f"{CHECK} [public.a]": "passed", f"{CHECK} [public.b]": "failure"}

    def test_an_interrupted_run_is_an_error_outside_the_phases(self, make_run: Callable[..., Run]) -> None:
        run = make_run([started(), Interrupted(reason="gone")])
        assert [error.get("type") for error in tree_of(run).iter("error")] == ["interrupted"]


class TestDocument:
    """Other programs can read it, whatever the service answered."""

    def test_totals_agree_with_the_cases(self, rich_run: Run) -> None:
        root = tree_of(rich_run)
        assert int(root.get("tests", "")) == len(list(root.iter("testcase")))
        assert int(root.get("failures", "")) == len(list(root.iter("failure")))
        assert int(root.get("errors", "")) == len(list(root.iter("error")))

    def test_properties_come_first(self, rich_run: Run) -> None:
        for suite in tree_of(rich_run):
            assert next(child.tag for child in suite) == "properties"

    def test_a_reader_of_junit_reads_it(self, rich_run: Run) -> None:
        assert len(list(JUnitXml.fromstring(render_junit(rich_run.record)))) == 2

    def test_what_xml_forbids_is_spelt(self, make_run: Callable[..., Run]) -> None:
        run = run_with(
            make_run, result(CHECK, "fail", actual=f"\x00\x1b\ufffe{NASTY}", reason="\x00]]>", subject="\x08")
        )
        (failure,) = tree_of(run).iter("failure")
        assert NASTY in str(failure.text)
        assert "\\u0000]]>" in str(failure.get("message"))
