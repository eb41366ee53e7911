from __future__ import annotations

from collections import Counter

import pytest

from playbook.proof.registry import Registry
from playbook.tenancy import CHECKS, SABOTAGES
from tests.tenancy.conftest import Bench


@pytest.mark.unit
class TestTheRegistry:
    """Every check can be seen to fail in the quickest profile, and every fault takes one protection away."""

    def test_it_does_not_contradict_itself(self) -> None:
        Registry.of(CHECKS, SABOTAGES)

    def test_every_check_is_killed_in_quick(self) -> None:
        killed = {check for s in SABOTAGES if s.profile == "quick" for check in s.kills}
        assert {one.id for one in CHECKS} == killed

    def test_there_are_enough_of_each_kind(self) -> None:
        faults = [s for s in SABOTAGES if not s.harmless]
        assert len({s.pair for s in faults}) >= 8
        assert sum(s.blind for s in SABOTAGES) == 11
        assert sum(s.harmless for s in SABOTAGES) >= 4


@pytest.mark.soak
@pytest.mark.stack
class TestTheTrial:
    """Each fault turns red what it names and nothing else; the harmless ones nothing."""

    def test_all_sabotages(self, bench: Bench) -> None:
        matrix = bench.try_all("20")
        wrong = [e for e in matrix if not e.declared or (e.result != "killed" and not e.harmless)]
        assert wrong == []
        assert [e for e in matrix if e.harmless and e.result != "survived"] == []
        assert Counter(e.result for e in matrix)["killed"] >= 20
