from __future__ import annotations

from typing import Any

import pytest
from report_fixtures import phase_events, result, run_of, started

from playbook.evidence.events import PhasePlan, RunEnded, StackUp
from playbook.evidence.record import RunRecord
from playbook.places import places
from playbook.report.backends import read_backends, undeclared
from playbook.report.compare import compare_runs
from playbook.run.phases import registry

pytestmark = pytest.mark.unit

PLAN = PhasePlan(id="10", notebook="10_bring_up")
READY, ROOT = "health.ready.database-down", "container.user.not-root"
KNOWN = read_backends(places().data / "backends.yaml")


def run(backend: str, *results: Any) -> RunRecord:
    up = StackUp(stack="run-0a1b2c", backend=backend, duration_s=1.0)
    record: RunRecord = run_of([started(phases=(PLAN,)), up, *phase_events(PLAN, results, ()), RunEnded()]).record
    return record


def names(before: RunRecord, after: RunRecord) -> list[str]:
    return [one.check for one in undeclared(compare_runs(before, after), KNOWN)]


class TestBackends:
    """Runs on different backends show the same outcomes, but for what is listed."""

    LOCAL = (result(READY, "pass", phase="10"), result(ROOT, "skip", phase="10"))
    COMPOSE = (result(READY, "pass", phase="10"), result(ROOT, "pass", phase="10", subject="app"))

    def test_what_is_listed_is_no_difference(self) -> None:
        assert names(run("local", *self.LOCAL), run("compose", *self.COMPOSE)) == []
        assert names(run("compose", *self.COMPOSE), run("local", *self.LOCAL)) == []

    @pytest.mark.parametrize("outcome", ["fail", "error", "skip"])
    def test_another_outcome_is_one(self, outcome: str) -> None:
        other = (result(READY, outcome, phase="10"), self.COMPOSE[1])
        assert names(run("local", *self.LOCAL), run("compose", *other)) == [READY]

    def test_what_is_listed_must_pass_where_it_can_be_answered(self) -> None:
        failing = (self.COMPOSE[0], result(ROOT, "fail", phase="10", subject="app"))
        assert names(run("local", *self.LOCAL), run("compose", *failing)) == [ROOT]

    def test_a_check_that_one_backend_lacks_is_one(self) -> None:
        assert names(run("local", *self.LOCAL), run("compose", self.COMPOSE[1])) == [READY]

    def test_runs_on_one_backend_are_not_held_against_the_list(self) -> None:
        assert names(run("compose", *self.COMPOSE), run("compose", self.COMPOSE[1])) == []

    def test_the_list_names_checks_that_there_are(self) -> None:
        ids = {check.id for check in registry().checks}
        for declared in KNOWN.differences:
            for name in declared.checks:
                assert any(one == name or (name.endswith(".") and one.startswith(name)) for one in ids), name
