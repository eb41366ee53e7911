"""
Each sabotage of phase 50 turns exactly the named checks red, on two real instances behind a real proxy.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from playbook.limits import CHECKS, SABOTAGES
from playbook.limits.checks import CHECKS as ASKED
from playbook.proof.apply import edits_of, switches_of
from playbook.proof.execute import run_checks
from playbook.proof.matrix import entries
from playbook.proof.registry import Registry
from playbook.proof.sabotage import Sabotage
from playbook.stack.scratch import apply_edits
from tests.app.postgres_server import Postgres
from tests.app.service_process import APP
from tests.limits.bench import bench
from tests.limits.processes import Valkey


class TestRegistry:
    """The family is whole: every check has been named by a sabotage, and the faults differ."""

    pytestmark = pytest.mark.unit

    def test_is_consistent(self) -> None:
        assert Registry.of(CHECKS, SABOTAGES).of_phase("50").checks == ASKED

    def test_has_ten_distinct_faults(self) -> None:
        assert len({one.pair for one in SABOTAGES if not one.harmless}) >= 10

    def test_every_edit_still_fits_the_code(self, tmp_path: Path) -> None:
        for sabotage in SABOTAGES:
            for edit in edits_of(sabotage):
                copy = tmp_path / sabotage.name / edit.path
                copy.parent.mkdir(parents=True)
                copy.write_text((APP / edit.path).read_text())
                apply_edits(tmp_path / sabotage.name, [edit])


@pytest.mark.stack
class TestKills:
    """One protection at a time."""

    def test_without_any_the_checks_are_green(self, postgres: Postgres, valkey: Valkey, tmp_path: Path) -> None:
        with bench(postgres, valkey, tmp_path) as scene:
            results = run_checks(CHECKS, scene)
        assert [(r.id, r.subject, r.actual, r.reason) for r in results if r.outcome != "pass"] == []

    @pytest.mark.parametrize("sabotage", SABOTAGES, ids=lambda one: one.name)
    def test_exactly_the_named_turn_red(
        self, postgres: Postgres, valkey: Valkey, tmp_path: Path, sabotage: Sabotage
    ) -> None:
        without = [f"KB_{name.upper()}" for name in switches_of(sabotage)]
        with bench(postgres, valkey, tmp_path, without=without, edits=edits_of(sabotage)) as scene:
            found = entries(sabotage, run_checks(CHECKS, scene))
        wrong = [one for one in found if one.result != ("survived" if sabotage.harmless else "killed")]
        assert wrong + [one for one in found if not one.declared] == []
