from __future__ import annotations

import pytest

from playbook.bringup import CHECKS, SABOTAGES
from playbook.proof.registry import Registry
from tests.tenancy.conftest import Bench


@pytest.mark.unit
class TestTheRegistry:
    """Every check can be seen to fail, and quick tries one fault of the code."""

    def test_it_does_not_contradict_itself(self) -> None:
        Registry.of(CHECKS, SABOTAGES)

    def test_quick_tries_one(self) -> None:
        assert [s.name for s in SABOTAGES if s.profile == "quick"] == ["ready-swallows-error"]


@pytest.mark.soak
@pytest.mark.stack
class TestTheTrial:
    """Each fault turns red what it names and nothing else."""

    def test_all_sabotages(self, bench: Bench) -> None:
        matrix = bench.try_all("10")
        assert [e for e in matrix if not e.declared or e.result != "killed"] == []
        assert {e.sabotage for e in matrix} == {s.name for s in SABOTAGES}
