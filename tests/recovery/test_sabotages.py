from __future__ import annotations

import pytest

from playbook.proof.registry import Registry
from playbook.proof.sabotage import ProcedureFault
from playbook.recovery.checks import CHECKS
from playbook.recovery.mutations import MUTATIONS
from playbook.recovery.procedure import our_procedure
from playbook.recovery.sabotages import SABOTAGES

pytestmark = pytest.mark.unit


class TestSabotages:
    """Every fault is a mutation that changes the procedure, and every check has one that must turn it red."""

    def test_the_registry_takes_them(self) -> None:
        assert Registry.of(CHECKS, SABOTAGES).killers("restore.rows.equal")

    def test_faults_and_mutations_are_the_same(self) -> None:
        named = [s.fault.mutation for s in SABOTAGES if isinstance(s.fault, ProcedureFault)]
        assert sorted(named) == sorted(MUTATIONS)

    @pytest.mark.parametrize("name", MUTATIONS)
    def test_a_mutation_changes_the_procedure(self, name: str) -> None:
        assert MUTATIONS[name].change(our_procedure()) != our_procedure()

    def test_there_are_at_least_twelve_distinct_faults_in_profile_quick(self) -> None:
        assert len({s.pair for s in SABOTAGES if s.profile == "quick" and not s.harmless}) >= 12

    def test_every_check_has_one_in_profile_quick(self) -> None:
        killed = {check for s in SABOTAGES if s.profile == "quick" for check in s.kills}
        assert {one.id for one in CHECKS} - killed == set()

    def test_no_two_faults_are_the_same_pair(self) -> None:
        pairs = [s.pair for s in SABOTAGES]
        assert len(pairs) == len(set(pairs))

    def test_a_harmless_change_is_among_them(self) -> None:
        assert any(s.harmless and s.profile == "quick" for s in SABOTAGES)
