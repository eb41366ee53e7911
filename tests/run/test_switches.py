from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from playbook.places import places
from playbook.proof.sabotage import SwitchOff
from playbook.run.phases import PHASES, registry
from playbook.target.target import read_target

pytestmark = pytest.mark.unit


def of_target() -> set[str]:
    target = read_target(places().data / "targets" / "reference.yaml")
    assert target.service is not None
    return set(target.service.switches)


class TestSwitches:
    """A switch is known to the target; one phase turns it on and one sabotage off."""

    def test_target_and_service_agree(self) -> None:
        app = places().env / "app"
        done = subprocess.run(
            [sys.executable, "-m", "knowledge", "switches", "--json"],
            cwd=app,
            env={**os.environ, "PYTHONPATH": str(app)},
            capture_output=True,
            text=True,
            check=True,
        )
        assert set(json.loads(done.stdout)) == of_target()

    def test_each_is_turned_on_by_one_phase(self) -> None:
        turned_on = [name for phase in PHASES for name in phase.switches]
        assert sorted(turned_on) == sorted(of_target())

    def test_each_is_turned_off_by_one_sabotage(self) -> None:
        turned_off = [s.fault.switch for s in registry().sabotages if isinstance(s.fault, SwitchOff)]
        assert sorted(turned_off) == sorted(of_target())
