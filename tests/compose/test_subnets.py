from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import cast

import docker
import pytest
from docker.errors import APIError
from docker.types import IPAMConfig, IPAMPool

from playbook.errors import StackError
from playbook.stack.compose.engine import Engine
from playbook.stack.compose.ground import ComposeGround
from playbook.stack.compose.labels import STACK
from playbook.stack.compose.states import ComposeStates
from playbook.stack.registry import folder_of
from tests.compose.conftest import Begin

pytestmark = [pytest.mark.compose, pytest.mark.stack]
Thief = Callable[[str], str]


@pytest.fixture
def take(engine: Engine) -> Iterator[Thief]:
    """Make a network of a subnet, as another stack would."""
    made = []

    def one(subnet: str) -> str:
        ipam = IPAMConfig(pool_configs=[IPAMPool(subnet=subnet)])
        made.append(engine.api.create_network(f"thief-{secrets.token_hex(4)}", ipam=ipam)["Id"])
        return str(made[-1])

    yield one
    for network in made:
        engine.api.remove_network(network)


@dataclass(frozen=True)
class Refusing:
    """The engine, but for a network of one name."""

    api: docker.APIClient
    name: str

    def create_network(self, name: str, **options: object) -> object:
        if name == self.name:
            raise APIError("all predefined address pools have been fully subnetted")
        return self.api.create_network(name, **options)  # type: ignore[arg-type]

    def __getattr__(self, name: str) -> object:
        return getattr(self.api, name)


def subnet_of(engine: Engine, network: str) -> str:
    return str(engine.api.inspect_network(network)["IPAM"]["Config"][0]["Subnet"])


class TestTaken:
    """What was free when it was chosen may be taken when it is needed."""

    def test_others_are_chosen(self, engine: Engine, begin: Begin, take: Thief) -> None:
        ground = ComposeGround(folder_of(begin().name), engine)
        states = ComposeStates(ground)
        states._begin(lambda _: None)
        first = ground.part().subnets
        take(first["hardened"])
        states._start_first()
        assert ground.part().subnets["hardened"] != first["hardened"]
        for state in ("found", "hardened"):
            assert subnet_of(engine, ground.network(state)) == ground.part().subnets[state]


class TestFreeSubnets:
    """The engine is asked by networks that are gone afterwards, whatever happens."""

    def test_they_are_different_and_nothing_is_left(self, engine: Engine) -> None:
        mine = secrets.token_hex(4)
        found = engine.free_subnets(mine, ("found", "hardened"), {STACK: mine})
        assert len(set(found.values())) == 2
        assert engine.objects([f"{STACK}={mine}"])["network"] == {}

    def test_nothing_is_left_when_the_second_is_refused(self, engine: Engine) -> None:
        mine = secrets.token_hex(4)
        refusing = Engine(cast("docker.APIClient", Refusing(engine.api, f"{mine}_choice_hardened")), engine.patient)
        with pytest.raises(StackError, match="refused to choose addresses"):
            refusing.free_subnets(mine, ("found", "hardened"), {STACK: mine})
        assert engine.objects([f"{STACK}={mine}"])["network"] == {}
