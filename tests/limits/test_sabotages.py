"""
The sabotages of phase 50 that profile quick leaves out; the drill of tests/run tries the others.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from playbook.limits import CHECKS, SABOTAGES
from playbook.limits.checks import CHECKS as ASKED
from playbook.places import places
from playbook.proof.apply import edits_of
from playbook.proof.matrix import KillEntry
from playbook.proof.registry import Registry
from playbook.stack.scratch import apply_edits

APP = places().env / "app"


class TestRegistry:
    """The family is whole: every check has been named by a sabotage, and the faults differ."""

    pytestmark = pytest.mark.unit

    def test_is_consistent(self) -> None:
        assert Registry.of(CHECKS, SABOTAGES).of_phase("50").checks == ASKED

    def test_has_distinct_faults(self) -> None:
        faults = [one for one in SABOTAGES if not one.harmless]
        assert len({one.pair for one in faults}) == len(faults) >= 14
        assert sum(one.blind for one in faults) == 4

    def test_quick_kills_every_check(self) -> None:
        assert {name for one in SABOTAGES if one.profile == "quick" for name in one.kills} == {c.id for c in CHECKS}

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

    @pytest.mark.parametrize("name", [one.name for one in SABOTAGES if one.profile != "quick"])
    def test_exactly_the_named_turn_red(self, matrix: list[KillEntry], name: str) -> None:
        found = [one for one in matrix if one.sabotage == name]
        assert found
        wanted = "survived" if found[0].harmless else "killed"
        assert [one for one in found if one.result != wanted or not one.declared] == []
