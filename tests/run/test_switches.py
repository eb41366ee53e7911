from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from playbook.errors import InputError
from playbook.places import places
from playbook.proof.sabotage import SwitchOff
from playbook.run.left_out import refuse_idle, tell_unasked
from playbook.run.phases import PHASES, registry
from playbook.run.plan import Asked, RunPlan, make_plan
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


def plan(*phases: str, without: str) -> RunPlan:
    return make_plan(Asked(phases=phases, without=(without,)), places())


class TestLeftOut:
    """What is left out must be something that this run turns on; where nothing of it asks, that is said."""

    @pytest.mark.parametrize(
        ("phases", "switch"),
        [
            ((), "limits_shared"),
            (("50",), "limits_shared"),
            (("20",), "secret_required"),
            (("20", "30"), "logs_redacted"),
        ],
    )
    def test_what_a_phase_or_its_need_turns_on(self, phases: tuple[str, ...], switch: str) -> None:
        refuse_idle(plan(*phases, without=switch))

    @pytest.mark.parametrize(("phase", "switch"), [("20", "limits_shared"), ("50", "tenant_from_token")])
    def test_what_nothing_turns_on_is_refused(self, phase: str, switch: str) -> None:
        with pytest.raises(InputError, match=f"--without {switch}: no phase of this run turns it on; phase [35]0 does"):
            refuse_idle(plan(phase, without=switch))

    def test_each_phase_alone_may_be_planned_without_any(self) -> None:
        assert plan("20", without="limits_shared").without == {"limits_shared"}  # as a kernel of a whole run plans

    def test_what_only_another_phase_asks_is_told(self) -> None:
        (line,) = tell_unasked(plan("20", without="tenant_context_local"))
        assert line.endswith("those of phase 30")
        assert list(tell_unasked(plan("20", "30", without="tenant_context_local"))) == []
        assert list(tell_unasked(plan("10", without="secret_required"))) == []
