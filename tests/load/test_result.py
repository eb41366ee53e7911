from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hdrh.histogram import HdrHistogram

from playbook.errors import StackError
from playbook.load.findings import canary_findings, slo_findings
from playbook.load.measurement import doubt_of
from playbook.load.result import Foreign, LoadResult, read_result
from playbook.target.target import Objectives

pytestmark = pytest.mark.unit


def recorded(*latencies_ms: float) -> str:
    histogram = HdrHistogram(1, 600_000_000, 3)
    for one in latencies_ms:
        histogram.record_value(int(one * 1000))
    return histogram.encode().decode()


def result(**changes: Any) -> LoadResult:
    usual: dict[str, Any] = {
        "begun_monotonic_s": 1.0,
        "ran_s": 10.0,
        "arrivals_s": 10.0,
        "sent": 100,
        "dropped": 0,
        "lost": 0,
        "unfinished": 0,
        "late_max_ms": 5.0,
        "late_p99_ms": 2.0,
        "cpu_s": 0.5,
        "outcomes": {"200": 100},
        "served": recorded(*range(1, 101)),
        "operations": {},
        "own": {},
        "foreign": (),
        "bin_s": 0.1,
        "bins": (),
    }
    return LoadResult(**{**usual, **changes})


class TestPercentiles:
    """Percentiles are those of the histogram, to three digits."""

    @pytest.mark.parametrize(("point", "value"), [(50, 50), (95, 95), (99, 99), (100, 100)])
    def test_are_told(self, point: float, value: float) -> None:
        assert result().percentile_ms(point) == pytest.approx(value, rel=0.002)

    def test_of_nothing_are_nothing(self) -> None:
        assert result(served=recorded()).percentile_ms(99) == 0

    def test_a_lost_request_is_slower_than_any_that_was_served(self) -> None:
        served = recorded(*range(1, 97))
        assert result(lost=4, served=served).percentile_of_sent_ms(95) == pytest.approx(95, rel=0.002)
        assert result(lost=4, served=served).percentile_of_sent_ms(97) is None
        assert result(lost=100, served=recorded()).percentile_of_sent_ms(1) is None


class TestUnfit:
    """A run that cannot decide says so: it is never a pass."""

    @pytest.mark.parametrize(
        ("changes", "word"),
        [
            ({"sent": 0}, "no request"),
            ({"arrivals_s": 9.4}, "declared"),
            ({"dropped": 1}, "dropped"),
            ({"late_max_ms": 50.1}, "late"),
        ],
    )
    def test_is_inconclusive(self, changes: dict[str, Any], word: str) -> None:
        one = result(**changes)
        reason = one.unfit(declared_s=10, late_limit_ms=50)
        assert word in (reason or "")
        findings = list(slo_findings(one, Objectives(p95_ms=500, error_rate=0.01), unfit=reason, weakness=None))
        assert {finding.code for finding in findings} == {"inconclusive"}

    def test_a_whole_run_is_fit(self) -> None:
        assert result().unfit(declared_s=10, late_limit_ms=50) is None

    def test_a_file_of_another_form_is_refused(self) -> None:
        with pytest.raises(StackError, match="no result"):
            read_result("[]")


class TestDoubt:
    """On a busy machine a long tail decides nothing; that even the fastest missed does."""

    @pytest.mark.parametrize(
        ("latencies", "busy", "doubted"),
        [
            ([*range(1, 90), *[600.0] * 11], 0.9, True),
            ([*range(1, 90), *[600.0] * 11], 0.3, False),
            ([600.0] * 100, 0.9, False),
            ([5.0] * 100, 0.9, False),
        ],
    )
    def test_is_told(self, latencies: list[float], busy: float, *, doubted: bool) -> None:
        reason = doubt_of(result(served=recorded(*latencies)), busy=busy, p95_ms=500)
        assert (reason is not None) is doubted


class TestFindings:
    """A run is held to what is declared, tenant by tenant."""

    def test_compares_with_the_objectives(self) -> None:
        found = {
            one.subject: (one.expected, one.actual)
            for one in slo_findings(
                result(lost=3, outcomes={"200": 97, "500": 3}, served=recorded(*range(1, 98))),
                Objectives(p95_ms=90, error_rate=0.01),
                unfit=None,
                weakness=None,
            )
        }
        assert found["error_rate"] == (0.01, 0.03)
        assert found["p95_ms"] == (90, pytest.approx(95, rel=0.01))

    @pytest.mark.parametrize(("lost", "served"), [(100, ()), (6, range(1, 95))])
    def test_latencies_of_what_was_lost_are_undecided(self, lost: int, served: Sequence[int]) -> None:
        run = result(lost=lost, served=recorded(*served), outcomes={"500": lost})
        found = {
            one.subject: one
            for one in slo_findings(run, Objectives(p95_ms=90, error_rate=0.01), unfit=None, weakness=None)
        }
        assert found["p95_ms"].code == "inconclusive"
        assert f"{lost} of 100 requests were lost" in (found["p95_ms"].reason or "")
        assert found["error_rate"].actual == lost / 100

    def test_only_what_is_declared_is_asked(self) -> None:
        found = slo_findings(result(), Objectives(p95_ms=90), unfit=None, weakness="few")
        assert [(one.subject, one.strength) for one in found] == [("p95_ms", "partial")]

    def test_a_caller_that_never_saw_its_own_canary_proves_nothing(self) -> None:
        foreign = Foreign(operation="list", caller="b", canary="mark-a", responses=2)
        found = list(canary_findings(result(own={"a": 5}, foreign=(foreign,)), ["a", "b", "c"]))
        assert [one.code for one in found] == [None, None, "inconclusive"]
        assert [one.actual for one in found[:2]] == [[], ["mark-a in list"]]
