from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from playbook.errors import StackError
from playbook.stack.apps import App, AppPlan
from playbook.stack.ground import Ground
from playbook.stack.local import LocalStack
from playbook.stack.pooler import LocalPooler
from playbook.stack.ports import ATTEMPTS, LoosePort, PortTaken, free_port, is_free, on_free_port
from playbook.stack.proxy import LocalProxy
from playbook.stack.source import ServiceSource
from playbook.stack.store import LocalStore


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket() as thief:
        thief.bind(("127.0.0.1", 0))
        thief.listen(1)
        yield thief.getsockname()[1]


@pytest.mark.unit
class TestPorts:
    """A port is free when chosen; one that was stolen is replaced, a few times."""

    def test_chosen_is_free(self) -> None:
        assert is_free(free_port())

    def test_taken_is_seen(self, taken: int) -> None:
        assert not is_free(taken)

    def test_another_is_tried(self) -> None:
        tried = []

        def start(port: int) -> str:
            tried.append(port)
            if len(tried) < 3:
                raise PortTaken("it", "")
            return "up"

        assert on_free_port(start, what="it", first=1) == "up"
        assert tried[0] == 1
        assert len(set(tried)) == 3

    def test_gives_up_and_says_so(self) -> None:
        def start(port: int) -> None:
            raise PortTaken("it", "")

        with pytest.raises(StackError, match=f"found its port taken {ATTEMPTS} times"):
            on_free_port(start, what="it")


def ground() -> Ground:
    """Where nothing runs any more."""
    record = SimpleNamespace(
        accounts=SimpleNamespace(database="d"),
        secrets={"redis_admin_password": "x"},
        service=SimpleNamespace(live="/live", ready="/ready", version="/version", uses_app_role=lambda _: False),
        states={"found": SimpleNamespace(switches={})},
    )
    parts = SimpleNamespace(
        record=lambda: record,
        tail=lambda _: "last words",
        dsn=lambda _, database, role, *, port: f"postgresql://{role}:x@127.0.0.1:{port}/{database}",
        workplace=lambda _: Path("/nonexistent"),
        control=SimpleNamespace(running=lambda _: False),
    )
    return cast("Ground", parts)


@pytest.fixture
def stolen() -> Iterator[LoosePort]:
    port = LoosePort()
    with socket.socket() as thief:
        thief.bind(("127.0.0.1", 0))  # it does not listen: who asks is refused at once
        port.keep(thief.getsockname()[1])
        yield port


@pytest.mark.unit
class TestStolenMeanwhile:
    """Who waits for one that ended, and whose port is in other hands, is told so as of any that ended."""

    def test_app(self, stolen: LoosePort) -> None:
        plan = SimpleNamespace(process="found/app", on=frozenset())
        app = App(ground(), cast("Callable[[], AppPlan]", lambda: plan), port=stolen)
        with pytest.raises(StackError, match=r"(?s)app found/app ended.*last words"):
            app.wait_until_answering()

    def test_store(self, stolen: LoosePort) -> None:
        with pytest.raises(StackError, match=r"(?s)store found/redis ended.*last words"):
            LocalStore(ground(), "found/redis", stolen, durable=False).wait_until_answering()

    def test_pooler(self, stolen: LoosePort) -> None:
        with pytest.raises(StackError, match=r"(?s)pooler found/pooler ended.*last words"):
            LocalPooler(ground(), "found", "found/pooler", stolen).wait_until_answering()

    def test_proxy(self, stolen: LoosePort) -> None:
        with pytest.raises(StackError, match=r"(?s)proxy found/proxy ended.*last words"):
            LocalProxy(ground(), "found/proxy", stolen, ()).wait_until_answering()


@pytest.mark.stack
class TestStolen:
    """Servers and apps come up although somebody listens where they wanted to."""

    def test_first_choice_of_every_part_is_stolen(
        self, stand_in: ServiceSource, taken: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        offered = iter([taken])
        monkeypatch.setattr(on_free_port, "__kwdefaults__", {
            **on_free_port.__kwdefaults__, "choose": lambda: next(offered, None) or free_port()
        })  # fmt: skip
        stack = LocalStack.create(f"stolen-{taken}", service=stand_in, seed=1)
        try:
            stack.up()
            assert str(taken) not in stack._ground.record().states["found"].model_dump_json()
            app = stack._ground.record().states["found"].ports["app"]
            stack._states.app("found").stop()
            with socket.socket() as thief:
                thief.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                thief.bind(("127.0.0.1", app))
                thief.listen(1)
                stack.up()
                assert stack._ground.record().states["found"].ports["app"] != app
        finally:
            stack.down()
