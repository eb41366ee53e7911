from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import cast

import pytest

from playbook.evidence.result import CheckResult
from playbook.proof.execute import run_checks
from playbook.proof.matrix import KillEntry
from playbook.proof.scene import Scene
from playbook.recovery.findings import NAIVE
from playbook.recovery.journal import Journal, Stage
from playbook.recovery.naive import Naive
from playbook.recovery.objectives import OBJECTIVE_CHECKS
from playbook.recovery.procedure import Procedure, our_procedure
from playbook.recovery.rehearsal import Rehearsal, RouteReport, Truth, staged
from playbook.recovery.tables import fault_table, recovered_ways
from playbook.recovery.traffic import Marker
from playbook.recovery.yard import Yard
from playbook.target.target import Target
from tests.recovery.test_difference import portrait

pytestmark = pytest.mark.unit

Asked = Mapping[tuple[str, str | None], CheckResult]
MEGABYTE = 1_000_000
MARKERS = tuple(Marker(n, float(n), "0/1") for n in range(1, 11))


def target(**objectives: float) -> Target:
    roles = {"owner": "o", "app": "a"}
    return Target.model_validate(
        {"version": 1, "name": "acme", "database": {"roles": roles, "size_mb": 100}, "objectives": objectives}
    )


def rehearsal(
    *, took_s: float = 5.0, back: int = 10, failure: str | None = None, procedure: Procedure | None = None
) -> Rehearsal:
    journal = Journal(cast("Yard", Path()), clock=lambda: 0.0)
    journal.stages.append(Stage("restore", "logical", 0.0, took_s, bytes=1000))
    report = RouteReport("logical", failure=failure, served=failure is None, markers=frozenset(range(1, back + 1)))
    report.bytes = 50 * MEGABYTE
    report.naive = (Naive("size", well=True, told="1 byte"),)
    truth = Truth(portrait(), frozenset(range(1, back + 1)), back, 0.0, exact=True)
    return Rehearsal(procedure or our_procedure(), truth, journal, {"logical": report}, MARKERS, lost_at_s=10.0)


def asked(one: Rehearsal, **objectives: float) -> Asked:
    scene = staged(Scene(state="hardened", target=target(**objectives), seed=1), one)
    return {(r.id, r.subject): r for r in run_checks(OBJECTIVE_CHECKS, scene)}


class TestRecoveryTime:
    """The parts are added up; on less than the declared size the answer is partial and says the rate."""

    def test_within_the_objective_on_a_small_subject_is_partial(self) -> None:
        result = asked(rehearsal(), rto_s=6)["restore.rto.met", "logical"]
        assert (result.outcome, result.strength) == ("pass", "partial")
        assert result.strength_reason == (
            "50 MB at 10.0 MB/s on this machine; the target declares 100 MB, which at that rate are 10 s"
        )

    def test_beyond_the_objective_is_red(self) -> None:
        assert asked(rehearsal(), rto_s=4)["restore.rto.met", "logical"].outcome == "fail"

    def test_what_never_serves_is_red(self) -> None:
        result = asked(rehearsal(failure="no space"), rto_s=6)["restore.rto.met", "logical"]
        assert (result.outcome, result.actual) == ("fail", "never green: no space")

    def test_without_an_objective_it_is_skipped(self) -> None:
        assert asked(rehearsal())["restore.rto.met", "logical"].outcome == "skip"


class TestRecoveryPoint:
    """What was lost is measured by markers, and is no better than the declared time between two backups."""

    def test_the_declared_interval_bounds_a_lucky_moment(self) -> None:
        assert asked(rehearsal(), rpo_s=59)["restore.rpo.met", None].outcome == "fail"
        assert asked(rehearsal(), rpo_s=60)["restore.rpo.met", None].outcome == "pass"

    def test_the_markers_that_did_not_come_back_are_counted(self) -> None:
        (seen, _) = asked(rehearsal(back=7), rpo_s=60)["restore.rpo.met", None].observations
        assert (seen.request, seen.value) == ("lost by the logical way: 3 of 10 markers", 3.0)

    def test_a_dump_a_day_is_red_for_an_hour(self) -> None:
        daily = Procedure("daily", physical=None)
        assert asked(rehearsal(procedure=daily), rpo_s=3600)["restore.rpo.met", None].outcome == "fail"


class TestTables:
    """What is shown comes from the stored results."""

    def test_a_way_has_its_parts_and_what_was_lost(self) -> None:
        (way,) = recovered_ways(asked(rehearsal(back=7), rto_s=6, rpo_s=60).values())
        assert (way.state, way.way, way.lost_s, way.failed) == ("hardened", "logical", 3.0, None)
        assert [(part.name, part.took_s, part.bytes) for part in way.parts] == [("restore", 5.0, 1000)]

    def test_a_failure_is_told_without_the_answer_that_came_with_it(self) -> None:
        (way,) = recovered_ways(asked(rehearsal(failure='answered 503: {"detail": "x"}'), rto_s=6).values())
        assert way.failed == "never green: answered 503"

    def test_each_fault_has_the_naive_verdict_beside_it(self) -> None:
        results = _with_naive("dump-stale", {"size": "well", "backup exit code": "well"})
        killed = KillEntry("dump-stale", "age", "older", "restore.rows.equal", "logical", "killed")
        table = fault_table(results, [killed])
        row = table[table["our checks that caught it"] == "restore.rows.equal"].iloc[0]
        assert (row["naive checks"], row["all naive well"]) == ("size: well; backup exit code: well", "yes")
        assert "not tried" in set(table["all naive well"])


def _with_naive(sabotage: str, said: Mapping[str, str]) -> Sequence[CheckResult]:
    result = asked(rehearsal(), rto_s=6)["restore.rto.met", "logical"]
    seen = [{"role": NAIVE, "request": name, "value": value} for name, value in said.items()]
    changed = {"state": f"sabotaged:{sabotage}", "observations": seen}
    return [CheckResult.model_validate({**result.model_dump(), **changed})]
