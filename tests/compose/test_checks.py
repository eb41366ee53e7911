from __future__ import annotations

from collections.abc import Iterator

import pytest

from playbook.bringup import containers, survival, weakened
from playbook.places import places
from playbook.proof.execute import run_checks
from playbook.proof.sabotage import ContainerFault, Sabotage
from playbook.proof.scene import Scene
from playbook.stack.compose.stack import ComposeStack
from playbook.stack.protocol import Site
from playbook.target.target import read_target

pytestmark = [pytest.mark.compose, pytest.mark.stack]
CHECKS = (*containers.CHECKS, *survival.CHECKS)
TRIED = [
    # Its check is seen to fail by `health-always-good` too: this one shows that it asks more than that.
    pytest.param(one, id=one.name, marks=[pytest.mark.soak] if one.name == "container-health-asks-itself" else [])
    for one in weakened.SABOTAGES
]


@pytest.fixture(scope="module")
def asking(running: ComposeStack) -> Iterator[ComposeStack]:
    """The stack, while readiness asks the database, as it does when phase 10 has hardened it."""
    running.configure("hardened", {"ready_checks_dependencies": True})
    yield running
    running.configure("hardened", {"ready_checks_dependencies": False})


def scene_of(site: Site) -> Scene:
    return Scene.of(site, state="hardened", target=read_target(places().data / "targets" / "reference.yaml"), seed=1)


class TestContainerChecks:
    """A whole stack passes them; each bound that is taken away turns exactly its own check red."""

    def test_all_containers_of_a_state_pass(self, asking: ComposeStack) -> None:
        results = run_checks(CHECKS, scene_of(asking.site("hardened")))
        assert {(r.id, r.subject): (r.outcome, r.reason or r.actual) for r in results if r.outcome != "pass"} == {}
        assert {r.subject for r in results} == {"app", "pooler", "postgres", "proxy", "redis"}

    @pytest.mark.parametrize("sabotage", TRIED)
    def test_exactly_the_named_check_is_red(self, asking: ComposeStack, sabotage: Sabotage) -> None:
        assert isinstance(sabotage.fault, ContainerFault)
        asked = [one for one in CHECKS if not one.dear or one.id in sabotage.kills]
        with asking.scratch("hardened", weakness=sabotage.fault.weakness) as site:
            assert site.containers is not None
            assert list(site.containers.weaknesses("app")) == [sabotage.fault.weakness]
            assert list(site.containers.weaknesses("redis")) == []
            results = run_checks(asked, scene_of(site))
        red = {(r.id, r.subject) for r in results if r.outcome != "pass"}
        assert red == {(check, subject) for check, subjects in sabotage.kills.items() for subject in subjects}
