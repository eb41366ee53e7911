from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest

from playbook.load.departure import HeldRequest
from playbook.load.plan import Arrival, Plan, loopback_of
from playbook.load.rolling import RollingResult, loss_bound, restart_under_load

HELD = HeldRequest("/held", {"half": "a body", "rest": "later"})


Pairs = Callable[..., AbstractContextManager[Any]]


def restarted(pair: Any, *, least: int = 0, presses: bool = False) -> RollingResult:
    address, port = loopback_of(pair.door)
    plan = Plan(address=address, port=port, rate_per_s=60, duration_s=60, operations=(Arrival(id="get", path="/"),))
    return restart_under_load(pair, plan, HELD, requests_least=least, presses=presses)


@pytest.mark.stack
class TestRollingRestart:
    """What a rolling restart loses is counted through a real proxy, by cause."""

    def test_readiness_that_leads_loses_nothing(self, pair: Pairs) -> None:
        with pair("graceful") as both:
            seen = restarted(both)
        assert seen.load.unfit(declared_s=None, late_limit_ms=None) is None
        assert seen.load.lost == 0, seen.load.causes()
        assert [one.departure.held_status for one in seen.restarts] == [200, 200]
        assert min(one.departure.led_s for one in seen.restarts) > 0.4

    def test_leaving_at_once_loses_requests_and_cuts_what_is_in_flight(self, pair: Pairs) -> None:
        with pair("abrupt", checked=False) as both:
            seen = restarted(both)
        assert seen.load.lost > 0
        assert sum(seen.load.causes().values()) == seen.load.lost
        assert [one.departure.held_status for one in seen.restarts] == [None, None]
        assert max(one.departure.led_s for one in seen.restarts) == 0

    def test_a_proxy_that_neither_asks_nor_sends_elsewhere_loses_requests(self, pair: Pairs) -> None:
        with pair("graceful", checked=False) as both:
            assert restarted(both).load.lost > 0

    def test_readiness_that_does_not_lead_is_seen_although_the_proxy_makes_up_for_it(self, pair: Pairs) -> None:
        with pair("unled") as both:
            seen = restarted(both, presses=True)
        assert [one.departure.led_s for one in seen.restarts] == [0, 0]
        assert seen.pressed.sent > 0

    def test_goes_on_until_enough_requests_were_sent(self, pair: Pairs) -> None:
        with pair("graceful") as both:
            seen = restarted(both, least=700)
        assert seen.load.sent >= 700
        assert len(seen.restarts) >= 4


@pytest.mark.unit
class TestLossBound:
    """A zero means what the number of requests lets it mean."""

    def test_three_thousand_mean_three_nines(self) -> None:
        assert loss_bound(3000) == pytest.approx(0.001)

    def test_none_means_nothing(self) -> None:
        assert loss_bound(0) == 1.0
