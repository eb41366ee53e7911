"""
The sabotages of phase 50; the drill of tests/run tries the one of profile quick.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from playbook.limits import CHECKS, SABOTAGES
from playbook.limits.checks import CHECKS as ASKED
from playbook.limits.plan_check import FEW
from playbook.limits.plan_files import read_plans
from playbook.limits.subjects import PLANS
from playbook.places import places
from playbook.proof.apply import edits_of
from playbook.proof.matrix import KillEntry
from playbook.proof.registry import Registry
from playbook.proof.sabotage import CodeEdit
from playbook.stack.scratch import apply_edits
from playbook.target.target import read_target

APP = places().env / "app"


class TestRegistry:
    """The family is whole: every check has been named by a sabotage, and the faults differ."""

    pytestmark = pytest.mark.unit

    def test_is_consistent(self) -> None:
        assert Registry.of(CHECKS, SABOTAGES).of_phase("50").checks == ASKED

    def test_has_distinct_faults(self) -> None:
        faults = [one for one in SABOTAGES if not one.harmless]
        assert len({one.pair for one in faults}) == len(faults) >= 14
        assert sum(one.blind for one in faults) == 5

    def test_every_check_is_killed(self) -> None:
        assert {name for one in SABOTAGES for name in one.kills} == {c.id for c in CHECKS}

    def test_quick_tries_one_edit_of_the_code(self) -> None:
        (one,) = [one for one in SABOTAGES if one.profile == "quick"]
        assert isinstance(one.fault, CodeEdit)

    def test_faults_name_the_limits_of_the_plans_that_are_loaded_under_them(self) -> None:
        limits = read_target(places().data / "targets" / "reference.yaml").limits
        assert limits is not None
        plans = read_plans(limits.plans[:FEW])
        names = {plan.subject(limit) for plan in plans for limit in plan.declaration.limits}
        assert set(PLANS["limits.plans.enforced"]) == names

    def test_every_edit_still_fits_the_code(self, tmp_path: Path) -> None:
        for sabotage in SABOTAGES:
            for edit in edits_of(sabotage):
                copy = tmp_path / sabotage.name / edit.path
                copy.parent.mkdir(parents=True)
                copy.write_text((APP / edit.path).read_text())
                apply_edits(tmp_path / sabotage.name, [edit])


@pytest.mark.soak
@pytest.mark.stack
class TestKills:
    """One protection at a time, on copies of the real stack: exactly the named checks turn red."""

    @pytest.mark.parametrize("name", [one.name for one in SABOTAGES])
    def test_exactly_the_named_turn_red(self, matrix: list[KillEntry], name: str) -> None:
        found = [one for one in matrix if one.sabotage == name]
        assert found
        wanted = "survived" if found[0].harmless else "killed"
        assert [one for one in found if one.result != wanted or not one.declared] == []
