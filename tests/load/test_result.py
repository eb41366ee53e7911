from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hdrh.histogram import HdrHistogram

from playbook.errors import StackError
from playbook.load.findings import canary_findings, slo_findings
from playbook.load.measurement import doubt_of
from playbook.load.result import Foreign, LoadResult, OperationResult, read_result
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


class TestTogether:
    """Two runs that are judged together leave nothing out of either."""

    def test_all_counts(self) -> None:
        part = OperationResult(sent=100, lost=0, served=recorded(1.0))
        first = result(own={"a": 1}, bins=((0, 10, 0, 900),), operations={"x": part})
        later = result(
            sent=20,
            lost=1,
            late_max_ms=9.0,
            arrivals_s=2.0,
            served=recorded(*[900.0] * 19),
            outcomes={"200": 19, "500": 1},
            own={"a": 2, "b": 1},
            foreign=(Foreign(operation="x", caller="a", canary="b", responses=1),),
            bins=((3, 5, 1, 800),),
            operations={"x": part, "y": part},
        )
        both = first.with_later(later)
        assert (both.sent, both.lost, both.late_max_ms, both.arrivals_s) == (120, 1, 9.0, 12.0)
        assert both.outcomes == {"200": 119, "500": 1}
        assert both.own == {"a": 3, "b": 1}
        assert both.foreign == later.foreign
        assert both.bins == ((0, 10, 0, 900), (103, 5, 1, 800))
        assert {name: one.sent for name, one in both.operations.items()} == {"x": 200, "y": 100}
        assert both.percentile_ms(50) == pytest.approx(60, rel=0.01)
        assert both.percentile_ms(85) == pytest.approx(900, rel=0.01)


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
        found = list(canary_findings([result(own={"a": 5}, foreign=(foreign,))], ["a", "b", "c"]))
        assert [one.code for one in found] == [None, None, "inconclusive"]
        assert [one.actual for one in found[:2]] == [[], ["mark-a in list"]]

    def test_a_canary_counts_though_its_run_was_repeated(self) -> None:
        foreign = Foreign(operation="list", caller="a", canary="mark-b", responses=1)
        (found,) = canary_findings([result(own={"a": 5}, foreign=(foreign,)), result(own={"a": 5})], ["a"])
        assert found.actual == ["mark-b in list"]

    def test_says_in_which_second_it_was_slow(self) -> None:
        bins = ((0, 3, 0, 90_000), (11, 3, 0, 600_000), (12, 3, 0, 700_000), (25, 3, 0, 499_000))
        (found,) = slo_findings(result(bins=bins), Objectives(p95_ms=500), unfit=None, weakness=None)
        assert [one.value for one in found.observations if "by second" in one.request] == [[[1, 700]]]
