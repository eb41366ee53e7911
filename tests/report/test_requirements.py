from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from pydantic import ValidationError
from report_fixtures import phase_events, result, started

from playbook.evidence.events import PhasePlan, RunEnded
from playbook.evidence.run import Run
from playbook.places import places
from playbook.report.requirements import Mappings, read_mappings, requirement_rows
from playbook.run.phases import PHASES, registry

pytestmark = pytest.mark.unit

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
        known = {check.id for check in registry().checks}
        named = {check for requirement in mappings.requirements.values() for check in requirement.checks}
        assert named | set(mappings.standards) <= known

    def test_each_check_answers_a_requirement(self, mappings: Mappings) -> None:
        named = {check for requirement in mappings.requirements.values() for check in requirement.checks}
        assert {check.id for check in registry().checks} <= named

    def test_a_check_stands_in_a_phase_of_its_requirement(self, mappings: Mappings) -> None:
        phases = {check.id: check.phase for check in registry().checks}
        for name, requirement in mappings.requirements.items():
            assert {phases[check] for check in requirement.checks} <= set(requirement.phases), name

    def test_phases_that_exist_are_those_of_the_run(self, mappings: Mappings) -> None:
        named = {phase for requirement in mappings.requirements.values() for phase in requirement.phases}
        assert {phase.id for phase in PHASES} <= named

    def test_titles_are_plain_words(self, mappings: Mappings) -> None:
        assert not [name for name, one in mappings.requirements.items() if re.search(r"[*`|]", one.title)]

    def test_an_unknown_standard_is_refused(self) -> None:
        with pytest.raises(ValidationError):
            Mappings.model_validate({"version": 1, "requirements": {}, "standards": {"a.b": {"pci": []}}})


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
