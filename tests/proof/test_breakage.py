from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from playbook.errors import InputError
from playbook.proof.apply import NotApplied
from playbook.proof.breakage import Breakage
from playbook.proof.sabotage import WHOLE, Sabotage, SqlFault, SwitchOff
from playbook.proof.trial import Trial
from playbook.service.applied import applied_beside
from playbook.service.version import read_version
from playbook.stack import LocalStack
from tests.proof.test_trial import MARKER, SABOTAGE, TARGET, digest, no_marker, switches_on

pytestmark = pytest.mark.stack

Break = Callable[[Sabotage], Breakage]


@pytest.fixture(scope="module")
def hardened(local_stack: LocalStack) -> LocalStack:
    local_stack.configure("hardened", {"ready_checks_dependencies": True})
    return local_stack


@pytest.fixture
def breakage(hardened: LocalStack) -> Iterator[Break]:
    made: list[Breakage] = []

    def make(sabotage: Sabotage) -> Breakage:
        trial = Trial(
            stack=hardened,
            target=TARGET,
            checks=(no_marker, switches_on),
            seed=1,
            profile="quick",
            smoke=lambda _: None,
            applied=applied_beside(read_version(hardened.endpoints("hardened"))),
            digest=digest,
        )
        made.append(Breakage(trial, sabotage))
        return made[-1]

    yield make
    for one in made:
        one.close()


class TestBreakage:
    """The named checks are red while the fault is there, and green once it is healed; the copy goes with it."""

    @pytest.mark.parametrize(
        "sabotage",
        [
            SABOTAGE,
            replace(SABOTAGE, fault=SwitchOff("ready_checks_dependencies"), kills={"service.switches.on": WHOLE}),
        ],
        ids=["schema", "switch"],
    )
    def test_red_then_green(self, breakage: Break, hardened: LocalStack, sabotage: Sabotage) -> None:
        before = hardened.switches("hardened")
        held = breakage(sabotage)
        assert [(one.id, one.outcome) for one in held.apply_fault()] == [(check, "fail") for check in sabotage.kills]
        assert [(one.id, one.outcome) for one in held.heal_fault()] == [(check, "pass") for check in sabotage.kills]
        assert hardened.switches("hardened") == before

    def test_what_is_not_seen_to_be_applied_shows_nothing(self, breakage: Break) -> None:
        unseen = replace(SABOTAGE, fault=SqlFault(apply="SELECT 1", heal="SELECT 1", probe=MARKER.probe))
        with pytest.raises(NotApplied, match="does not see"):
            breakage(unseen).apply_fault()

    def test_nothing_broken_cannot_be_healed(self, breakage: Break) -> None:
        with pytest.raises(InputError):
            breakage(SABOTAGE).heal_fault()
