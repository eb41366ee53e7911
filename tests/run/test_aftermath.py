from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from playbook.errors import StackError
from playbook.evidence.chain import Entry
from playbook.evidence.events import CheckDone, Event, KillTried, StackDown
from playbook.places import places
from playbook.run.aftermath import take_down
from playbook.run.plan import Asked, RunPlan, make_plan
from playbook.stack.local import LocalStack
from playbook.stack.mend import destroy
from playbook.stack.protocol import Leftovers
from playbook.stack.registry import folder_of
from playbook.stack.source import ServiceSource
from tests.stack.conftest import stand_in_service

pytestmark = pytest.mark.stack


class Written:
    """Keeps events."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def emit(self, event: Event) -> Entry:
        self.events.append(event)
        return Entry(seq=0, time=datetime.now(UTC), prev="0" * 64, hash="0" * 64, event=event)

    def emit_all(self, events: Sequence[Event]) -> None:
        raise NotImplementedError

    def attach(self, name: str, content: bytes | Path) -> str:
        raise NotImplementedError

    def protect(self, secrets: Iterable[str]) -> None:
        raise NotImplementedError

    def results(self) -> dict[str | None, str]:
        return {one.result.subject: one.result.outcome for one in self.events if isinstance(one, CheckDone)}

    def kills(self) -> dict[str, str]:
        return {one.sabotage: one.result for one in self.events if isinstance(one, KillTried)}


class Untidy(LocalStack):
    """Forgets its folder."""

    def down(self) -> Leftovers:
        done = super().down()
        folder_of(self.name).mkdir()
        return done


@pytest.fixture
def name() -> Iterator[str]:
    name = f"test-{secrets.token_hex(4)}"
    yield name
    destroy(folder_of(name))


@pytest.fixture
def plan() -> RunPlan:
    return make_plan(Asked(scenario="reference", phases=("10",)), places())


def source() -> ServiceSource:
    return stand_in_service()


class TestAfterwards:
    """When the stack is gone, what is left of it is looked for, and the search is seen to find something."""

    def test_nothing_is_left(self, name: str, plan: RunPlan) -> None:
        written = Written()
        take_down(LocalStack.create(name, service=source(), seed=1), plan, written, keeping=False, completed=True)
        assert isinstance(written.events[0], StackDown)
        assert written.results() == {"processes": "pass", "directories": "pass"}
        assert written.kills() == {
            "left-processes": "killed",
            "left-directories": "killed",
            "left-containers": "not_tried",
            "left-networks": "not_tried",
            "left-volumes": "not_tried",
        }
        assert not folder_of(name).exists()

    def test_what_is_left_is_named(self, name: str, plan: RunPlan) -> None:
        written = Written()
        take_down(Untidy.create(name, service=source(), seed=1), plan, written, keeping=False, completed=True)
        assert written.results() == {"processes": "pass", "directories": "fail"}
        assert set(written.kills().values()) == {"void"}

    def test_a_run_that_broke_off_asks_nothing(self, name: str, plan: RunPlan) -> None:
        written = Written()
        take_down(LocalStack.create(name, service=source(), seed=1), plan, written, keeping=False, completed=False)
        assert [one.type for one in written.events] == ["stack-down"]

    def test_a_stack_whose_record_is_gone_is_taken_down_all_the_same(self, name: str, plan: RunPlan) -> None:
        stack, written = LocalStack.create(name, service=source(), seed=1), Written()
        (folder_of(name) / "state.json").unlink()
        with pytest.raises(StackError, match="No stack named"):
            take_down(stack, plan, written, keeping=False, completed=True)
        assert not folder_of(name).exists()
