"""Faults that fail while they are brought about or healed, on processes that are lists of what was done to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import cast

import pytest

from playbook.errors import StackError
from playbook.stack.compose.engine import Endpoint
from playbook.stack.compose.faults import ComposeFaults
from playbook.stack.compose.ground import ComposeGround
from playbook.stack.ensemble import Attended, Ensemble
from playbook.stack.faults import LocalFaults
from playbook.stack.protocol import Fault, Kill, Partition, Pause, Restart, Signal

pytestmark = pytest.mark.unit


@dataclass
class Machine:
    """Two processes; `stubborn` refuses what is done to it first, `broken` cannot be started again."""

    stubborn: str = ""
    broken: str = ""
    done: list[str] = field(default_factory=list)
    ended: set[str] = field(default_factory=set)
    cut_off: dict[str, str] = field(default_factory=dict)

    def stop(self, name: str) -> None:
        self.refuse(name)
        self.ended.add(name)

    def signal(self, name: str, number: int, *, tree: bool) -> None:
        self.done.append(f"signal {name} {number}")
        self.refuse(name)

    def wait(self, name: str, limit_s: float) -> None:
        self.ended.add(name)

    def running(self, name: str) -> bool:
        return name not in self.ended

    def refuse(self, name: str) -> None:
        if name == self.stubborn:
            self.stubborn = ""
            raise StackError(f"{name} refused", hint="")

    def start(self, name: str) -> None:
        if name == self.broken:
            raise StackError(f"{name} is broken", hint="")
        self.ended.discard(name)
        self.done.append(f"start {name}")

    def start_ended(self, ready: frozenset[int]) -> None:
        self.done.append(f"start ended {sorted(ready)}")

    def find(self, name: str) -> SimpleNamespace:
        return SimpleNamespace(id=name)

    def endpoint(self, container: str, network: str) -> Endpoint:
        return Endpoint((container,), "10.0.0.2")

    def disconnect(self, container: str, network: str) -> None:
        self.cut_off[container] = network
        self.refuse(container)  # the engine did it, and then did not answer

    def connect(self, container: str, network: str, end: Endpoint) -> None:
        assert end == self.endpoint(container, network)
        self.cut_off.pop(container, None)

    def attended(self, service: str, instance: int | None) -> Sequence[Attended]:
        return [
            SimpleNamespace(process=name, start=lambda n=name: self.start(n), wait_until_answering=lambda: None)
            for name in ("a", "b")
        ]

    def ensemble(self) -> Ensemble:
        parts = SimpleNamespace(
            ground=SimpleNamespace(control=self),
            state="found",
            attended=self.attended,
            ready=lambda: frozenset({0}),
            start_ended=self.start_ended,
            wait_until_serving=lambda _: self.done.append("serving"),
        )
        return cast("Ensemble", parts)

    def ground(self) -> ComposeGround:
        return cast("ComposeGround", SimpleNamespace(containers=self, engine=self, network=lambda state: state))


class TestHalfWay:
    """What was struck before the fault failed is healed, and the failure is told."""

    @pytest.mark.parametrize("fault", [Restart("app"), Kill("app"), Signal("app", 15)], ids=repr)
    def test_the_first_one_runs_again(self, fault: Fault) -> None:
        machine = Machine(stubborn="b")
        with pytest.raises(StackError, match="b refused"), LocalFaults(machine.ensemble()).fault(fault):
            pytest.fail("it was not brought about")
        assert machine.ended == set()
        assert machine.done[-2:] == ["start ended [0]", "serving"]

    def test_the_first_one_goes_on(self) -> None:
        machine = Machine(stubborn="b")
        with pytest.raises(StackError), LocalFaults(machine.ensemble()).fault(Pause("app")):
            pytest.fail("it was not brought about")
        assert "signal a 18" in machine.done

    def test_who_was_cut_off_is_connected_again(self) -> None:
        machine = Machine(stubborn="b")
        faults = ComposeFaults(machine.ground(), machine.ensemble())
        with pytest.raises(StackError, match="b refused"), faults.fault(Partition("app")):
            pytest.fail("it was not brought about")
        assert machine.cut_off == {}


class TestHealing:
    """One that cannot be healed keeps none of the others down."""

    def test_all_are_healed_and_the_first_error_is_told(self) -> None:
        machine = Machine(broken="a")
        with pytest.raises(StackError, match="a is broken"), LocalFaults(machine.ensemble()).fault(Restart("app")):
            assert machine.ended == {"a", "b"}
        assert machine.ended == {"a"}
        assert machine.done == ["start b", "start ended [0]"]
