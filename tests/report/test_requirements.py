from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from pydantic import ValidationError
from report_fixtures import phase_events, result, started

from playbook import limits
from playbook.evidence.events import PhasePlan, RunEnded
from playbook.evidence.result import CheckResult
from playbook.evidence.run import Run
from playbook.places import places
from playbook.report.requirements import Mappings, control_rows, read_mappings, requirement_rows
from playbook.report.standards import STANDARDS
from playbook.run.phases import PHASES, registry

pytestmark = pytest.mark.unit

CHECKS = {*registry().checks, *limits.CHECKS}

FAMILIES = {"BR": 10, "MT": 10, "AC": 12, "RL": 7, "LD": 8, "BK": 8, "OB": 8, "PR": 5}


@pytest.fixture(scope="module")
def mappings() -> Mappings:
    return read_mappings(places().data / "mappings.yaml")


class TestFile:
    """data/mappings.yaml names what the plans require, and checks that exist."""

    def test_names_every_requirement_once_in_order(self, mappings: Mappings) -> None:
        known = [f"{family}-{number}" for family, last in FAMILIES.items() for number in range(1, last + 1)]
        assert list(mappings.requirements) == known

    def test_each_mapped_check_exists(self, mappings: Mappings) -> None:
        named = {check for requirement in mappings.requirements.values() for check in requirement.checks}
        assert named <= {check.id for check in CHECKS}

    def test_each_check_answers_a_requirement(self, mappings: Mappings) -> None:
        named = {check for requirement in mappings.requirements.values() for check in requirement.checks}
        assert {check.id for check in registry().checks} <= named

    def test_a_check_stands_in_a_phase_of_its_requirement(self, mappings: Mappings) -> None:
        phases = {check.id: check.phase for check in CHECKS}
        for name, requirement in mappings.requirements.items():
            assert {phases[check] for check in requirement.checks} <= set(requirement.phases), name

    def test_phases_that_exist_are_those_of_the_run(self, mappings: Mappings) -> None:
        named = {phase for requirement in mappings.requirements.values() for phase in requirement.phases}
        assert {phase.id for phase in PHASES} <= named

    def test_titles_are_plain_words(self, mappings: Mappings) -> None:
        assert not [name for name, one in mappings.requirements.items() if re.search(r"[*`|]", one.title)]

    @pytest.mark.parametrize(
        "standards",
        [
            {"pci": []},
            {"asvs_5": [{"control": "8.4.1", "title": "-", "requirements": ["MT-4"], "strength": "strong"}]},
            {"asvs_5": [{"control": "8.4.1", "title": "-", "requirements": ["AC-1"], "strength": "partial"}]},
        ],
        ids=["unknown standard", "unknown requirement", "partial without a reason"],
    )
    def test_what_does_not_hold_together_is_refused(self, standards: object) -> None:
        requirements = {"AC-1": {"title": "-", "phases": ["40"]}}
        with pytest.raises(ValidationError):
            Mappings.model_validate({"version": 1, "requirements": requirements, "standards": standards})

    def test_controls_of_backups_are_partial_for_a_disposable_copy(self, mappings: Mappings) -> None:
        known = {one.control: one for _, one in mappings.standards.controls}
        for name in ("CP-9", "CP-9(1)", "CP-10", "A1.2", "A1.3", "A.8.13"):
            assert known[name].strength == "partial"
            assert "disposable copy" in str(known[name].why)

    def test_each_standard_names_a_control_once(self, mappings: Mappings) -> None:
        named = [(words, one.control) for words, one in mappings.standards.controls]
        assert len(named) == len(set(named))
        assert {words for words, _ in named} == set(STANDARDS.values())


class TestRows:
    """A requirement is covered by results, never by its mapping alone."""

    MAPPINGS = Mappings.model_validate(
        {
            "version": 1,
            "requirements": {
                "MT-4": {"title": "policies", "phases": ["30"], "checks": ["a.one", "a.two"]},
                "MT-8": {"title": "lists", "phases": ["30"], "checks": ["a.three"]},
                "BK-1": {"title": "backups", "phases": ["70"], "checks": ["b.one"]},
                "AC-1": {"title": "passwords", "phases": ["40"]},
            },
        }
    )

    def test_worst_of_its_checks(self, make_run: Callable[..., Run]) -> None:
        plan = PhasePlan(id="30", notebook="30_tenant_isolation")
        seen = [result("a.one", "pass"), result("a.two", "fail"), result("a.three", "skip")]
        run = make_run([started(phases=(plan,)), *phase_events(plan, seen), RunEnded()])
        rows = {row.id: (row.outcome, row.why_not) for row in requirement_rows(run.record, self.MAPPINGS)}
        assert rows == {
            "MT-4": ("fail", None),
            "MT-8": (None, "skipped"),
            "BK-1": (None, "phase 70 did not run"),
            "AC-1": (None, "no check yet"),
        }

    def test_says_when_not_all_of_its_checks_answered(self, make_run: Callable[..., Run]) -> None:
        plan = PhasePlan(id="30", notebook="30_tenant_isolation")
        run = make_run([started(phases=(plan,)), *phase_events(plan, [result("a.one", "pass")]), RunEnded()])
        first = requirement_rows(run.record, self.MAPPINGS)[0]
        assert (first.outcome, first.partly) == ("pass", "1 of 2 checks answered")


class TestControls:
    """A control is never stronger in a run than what the run showed."""

    MAPPINGS = Mappings.model_validate(
        {
            "version": 1,
            "requirements": {
                "MT-4": {"title": "policies", "phases": ["30"], "checks": ["a.one"]},
                "MT-8": {"title": "lists", "phases": ["30"], "checks": ["a.two"]},
            },
            "standards": {
                "asvs_5": [{"control": "8.4.1", "title": "-", "requirements": ["MT-4", "MT-8"], "strength": "strong"}],
                "soc_2": [
                    {"control": "A1.3", "title": "-", "requirements": ["MT-8"], "strength": "partial", "why": "a copy"}
                ],
            },
        }
    )

    def rows(self, make_run: Callable[..., Run], seen: list[CheckResult]) -> dict[str, tuple[object, ...]]:
        plan = PhasePlan(id="30", notebook="30_tenant_isolation")
        run = make_run([started(phases=(plan,)), *phase_events(plan, seen), RunEnded()])
        rows = control_rows(requirement_rows(run.record, self.MAPPINGS), self.MAPPINGS, run.record)
        return {row.control: (row.outcome, row.strength, row.why) for row in rows}

    def test_strong_when_everything_answered(self, make_run: Callable[..., Run]) -> None:
        rows = self.rows(make_run, [result("a.one", "pass"), result("a.two", "pass")])
        assert rows == {"8.4.1": ("pass", "strong", ()), "A1.3": ("pass", "partial", ("a copy",))}

    def test_not_shown_when_a_requirement_stays_silent(self, make_run: Callable[..., Run]) -> None:
        rows = self.rows(make_run, [result("a.one", "pass"), result("a.two", "skip")])
        assert rows["8.4.1"][:2] == (None, "partial")
        assert "nothing answered MT-8" in str(rows["8.4.1"][2])
        assert rows["A1.3"] == (None, "partial", ("a copy",))

    def test_red_in_part_is_red(self, make_run: Callable[..., Run]) -> None:
        rows = self.rows(make_run, [result("a.one", "fail"), result("a.two", "skip")])
        assert rows["8.4.1"][:2] == ("fail", "partial")

    def test_partial_when_a_result_was(self, make_run: Callable[..., Run]) -> None:
        small = result("a.two", "pass", strength="partial", strength_reason="a small subject")
        rows = self.rows(make_run, [result("a.one", "pass"), small])
        assert rows["8.4.1"] == ("pass", "partial", ("of partial strength in this run: a.two",))

    def test_the_worst_outcome_shows(self, make_run: Callable[..., Run]) -> None:
        rows = self.rows(make_run, [result("a.one", "pass"), result("a.two", "fail")])
        assert rows["8.4.1"][0] == "fail"
