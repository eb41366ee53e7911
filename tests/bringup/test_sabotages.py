from __future__ import annotations

import pytest

from playbook.bringup import CHECKS, SABOTAGES
from playbook.proof.registry import Registry
from playbook.proof.sabotage import ContainerFault
from tests.tenancy.conftest import Bench


@pytest.mark.unit
class TestTheRegistry:
    """Every check can be seen to fail; quick tries one fault of the code, and one of a container."""

    def test_it_does_not_contradict_itself(self) -> None:
        Registry.of(CHECKS, SABOTAGES)

    def test_quick_tries_one_of_each_kind(self) -> None:
        assert [s.name for s in SABOTAGES if s.profile == "quick"] == ["ready-swallows-error", "container-root"]


@pytest.mark.soak
@pytest.mark.stack
class TestTheTrial:
    """Each fault turns red what it names and nothing else."""

    def test_all_sabotages(self, bench: Bench) -> None:
        matrix = bench.try_all("10")
        tried = [e for e in matrix if e.result != "not_tried"]
        assert [e for e in tried if not e.declared or e.result != "killed"] == []
        of_containers = {s.name for s in SABOTAGES if isinstance(s.fault, ContainerFault)}
        assert {e.sabotage for e in tried} == {s.name for s in SABOTAGES} - of_containers
