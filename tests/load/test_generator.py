from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hdrh.histogram import HdrHistogram

from playbook.errors import GuardError, StackError
from playbook.load.generator import generating, run_load
from playbook.load.measurement import Steady, send_steady
from playbook.load.plan import Arrival, Caller, Plan, loopback_of
from playbook.load.result import LoadResult

Serve = Callable[[str], Any]


def plan_for(service: Any, **changes: Any) -> Plan:
    address, port = loopback_of(service.url)
    usual: dict[str, Any] = {"rate_per_s": 50, "duration_s": 2, "operations": (Arrival(id="get", path="/"),)}
    return Plan(address=address, port=port, **{**usual, **changes})


def histogram_of(encoded: str) -> Any:
    return HdrHistogram.decode(encoded)


@pytest.mark.stack
class TestArrivals:
    """Requests arrive at their times, and all that came of them is told."""

    def test_sends_what_was_declared(self, serve: Serve) -> None:
        result = run_load(plan_for(serve("graceful")))
        assert result.sent == 100
        assert result.lost == result.dropped == 0
        assert result.unfit(declared_s=2, late_limit_ms=None) is None
        assert 20 <= result.percentile_ms(50) < 200
        assert sum(bin_[1] for bin_ in result.bins) == 100

    def test_errors_are_counted_by_status(self, serve: Serve) -> None:
        result = run_load(plan_for(serve("failing"), rate_per_s=100))
        assert result.causes() == {"500": result.lost}
        assert 3 <= result.lost <= 4
        assert histogram_of(result.served).get_total_count() == result.sent - result.lost

    def test_slow_answers_show_in_the_percentiles(self, serve: Serve) -> None:
        result = run_load(plan_for(serve("slow")))
        assert result.percentile_ms(95) > 400
        assert result.percentile_ms(50) < 300

    def test_nobody_there_is_a_loss_by_its_cause(self, serve: Serve) -> None:
        service = serve("graceful")
        service.stop()
        result = run_load(plan_for(service, duration_s=0.5))
        assert result.causes() == {"ConnectionRefusedError": 25}
        assert result.percentile_of_sent_ms(95) is None
        assert result.percentile_ms(99) == 0

    def test_an_answer_that_does_not_come_in_time_is_a_loss(self, serve: Serve) -> None:
        result = run_load(plan_for(serve("slow"), timeout_s=0.2, duration_s=1))
        assert set(result.causes()) == {"timed out"}

    def test_few_requests_are_a_whole_run(self, serve: Serve) -> None:
        result = run_load(plan_for(serve("graceful"), rate_per_s=3, duration_s=0.5))
        assert result.sent == 1
        assert result.unfit(declared_s=0.5, late_limit_ms=None) is None

    def test_stops_when_told_to(self, serve: Serve) -> None:
        with generating(plan_for(serve("graceful"), duration_s=60)) as generator:
            generator.wait_until_begun()
            time.sleep(0.5)
            generator.stop()
            result = generator.result()
        assert 10 < result.sent < 100
        assert result.unfit(declared_s=60, late_limit_ms=None) is not None

    def test_too_many_in_flight_are_dropped_and_make_it_inconclusive(self, serve: Serve) -> None:
        result = run_load(plan_for(serve("graceful"), rate_per_s=400, duration_s=1, in_flight_most=1))
        assert result.dropped > 0
        assert "dropped" in (result.unfit(declared_s=1, late_limit_ms=None) or "")

    def test_leaves_no_process_and_no_folder(
        self, serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
        with generating(plan_for(serve("graceful"), duration_s=60)) as generator:
            process = generator._process
        assert process.poll() is not None
        assert list(tmp_path.glob("playbook-load-*")) == []


@pytest.mark.stack
class TestSteady:
    """What a short run missed in its tail only is asked of a longer one, and both are judged together."""

    P95_MS = 1000.0

    def sent(self, service: Any) -> Steady:
        return send_steady(plan_for(service, rate_per_s=30), self.P95_MS, longer_s=6)

    def p95_ms(self, run: LoadResult) -> float:
        return run.percentile_of_sent_ms(95) or 0.0

    def test_one_stall_is_not_the_service(self, serve: Serve) -> None:
        steady = self.sent(serve("stalling"))
        assert steady.undecided is None
        assert [one.sent for one in steady.runs] == [60, 180]
        assert self.p95_ms(steady.runs[0]) > self.P95_MS
        assert 0 < self.p95_ms(steady.judged) <= self.P95_MS
        assert steady.judged.sent == 240

    def test_a_slow_service_is_slow_twice(self, serve: Serve) -> None:
        steady = self.sent(serve("dragging"))
        assert steady.undecided is None
        assert steady.judged.sent == 240
        assert self.p95_ms(steady.judged) > self.P95_MS

    def test_what_was_met_is_not_asked_again(self, serve: Serve) -> None:
        assert [one.sent for one in self.sent(serve("graceful")).runs] == [60]


@pytest.mark.stack
class TestCanaries:
    """Another tenant's mark in a response is seen, whoever asks and however rarely it comes."""

    CALLERS = tuple(
        Caller(name=name, weight=weight, headers={"x-tenant": name}, canary=f"mark-{name}")
        for name, weight in (("large", 90.0), ("small", 1.0))
    )

    def measured(self, service: Any) -> LoadResult:
        return run_load(plan_for(service, callers=self.CALLERS, canary="mark-[a-z]+"))

    def test_each_caller_sees_its_own_and_no_other(self, serve: Serve) -> None:
        result = self.measured(serve("graceful"))
        assert result.foreign == ()
        assert result.own["small"] >= 3
        assert result.own["large"] > 5 * result.own["small"]

    def test_a_foreign_one_is_told(self, serve: Serve) -> None:
        result = self.measured(serve("leaking"))
        assert {one.canary for one in result.foreign} == {"mark-other"}
        assert result.lost == 0


@pytest.mark.unit
class TestBounds:
    """No load goes anywhere but to loopback, nor beyond the bounds."""

    @pytest.mark.parametrize(
        "url",
        ["http://example.org", "https://127.0.0.1", "http://10.0.0.1:80", "http://127.0.0.1.evil.org", "ftp://x", ""],
    )
    def test_other_addresses_are_refused(self, url: str) -> None:
        with pytest.raises(GuardError):
            loopback_of(url)

    def test_loopback_is_taken(self) -> None:
        assert loopback_of("http://127.0.0.5:81") == ("127.0.0.5", 81)
        assert loopback_of("http://localhost") == ("127.0.0.1", 80)

    def test_too_many_requests_are_refused(self) -> None:
        with pytest.raises(ValueError, match="bound"):
            Plan(address="127.0.0.1", port=1, rate_per_s=900, duration_s=900, operations=(Arrival(id="x", path="/"),))

    def test_a_generator_that_cannot_begin_says_so(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        broken = tmp_path / "locustfile.py"
        broken.write_text("raise SystemExit('broken on purpose')")
        monkeypatch.setattr("playbook.load.generator.LOCUSTFILE", broken)
        plan = Plan(address="127.0.0.1", port=1, rate_per_s=1, duration_s=1, operations=(Arrival(id="x", path="/"),))
        with pytest.raises(StackError, match="did not begin"), generating(plan) as generator:
            generator.wait_until_begun()
