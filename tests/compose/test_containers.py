from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from playbook.stack.compose.engine import Engine
from playbook.stack.compose.stack import ComposeStack
from playbook.stack.record import RecordFile
from playbook.stack.registry import folder_of

pytestmark = [pytest.mark.compose, pytest.mark.stack]


@pytest.fixture(scope="session")
def seen(engine: Engine, running: ComposeStack) -> Mapping[str, Mapping[str, Any]]:
    """What the engine says of every container, a scratch's, a spare server's and a tool's too."""
    stack = RecordFile(folder_of(running.name)).read().id
    with (
        running.scratch("hardened", instances=2, proxy=True),
        running.spare_postgres(),
    ):
        running.tool(["pg_dump", "--version"])
        return {one.process: dict(engine.inspect(one.id)) for one in engine.containers(stack)}


class TestLimits:
    """No container may do more, or take more, than the stack's description says; later ones neither."""

    def test_all_are_looked_at(self, seen: Mapping[str, Mapping[str, Any]]) -> None:
        assert {"found/postgres", "found/app", "found/redis", "found/proxy", "hardened/pooler"} <= set(seen)
        assert {name.partition("/")[0].partition("-")[0] for name in seen} == {"found", "hardened", "spare", "tools"}

    def test_nobody_is_root_or_may_become_it(self, seen: Mapping[str, Mapping[str, Any]]) -> None:
        for name, one in seen.items():
            host = one["HostConfig"]
            assert one["Config"]["User"].split(":")[0] not in {"", "0", "root"}, name
            assert host["CapDrop"] == ["ALL"], name
            assert not host["CapAdd"], name
            assert not host["Privileged"], name
            assert "no-new-privileges:true" in host["SecurityOpt"], name

    def test_roots_are_read_only_and_sizes_bounded(self, seen: Mapping[str, Mapping[str, Any]]) -> None:
        for name, one in seen.items():
            host = one["HostConfig"]
            assert host["ReadonlyRootfs"], name
            assert host["Memory"] > 0, name
            assert 0 < host["PidsLimit"] <= 200, name
            assert host["LogConfig"]["Config"]["max-size"], name

    def test_ports_are_on_loopback(self, seen: Mapping[str, Mapping[str, Any]]) -> None:
        published = [
            binding["HostIp"]
            for one in seen.values()
            for bindings in (one["NetworkSettings"]["Ports"] or {}).values()
            for binding in bindings or ()
        ]
        assert published
        assert set(published) == {"127.0.0.1"}

    def test_no_secret_is_shown(self, seen: Mapping[str, Mapping[str, Any]], running: ComposeStack) -> None:
        secrets = [value for value in running.secrets.values() if len(value) > 8]
        for name, one in seen.items():
            text = json.dumps(one)
            assert [value for value in secrets if value in text] == [], name


class TestNetworks:
    """A state's services reach each other, but not the other state, and nothing outside."""

    def test_who_reaches_whom(self, engine: Engine, running: ComposeStack) -> None:
        def reaches(process: str, host: str, port: int) -> bool:
            stack = RecordFile(folder_of(running.name)).read().id
            container = engine.container(stack, process)
            assert container is not None
            words = ["timeout", "2", "bash", "-c", f"exec 3<>/dev/tcp/{host}/{port}"]
            order = engine.api.exec_create(container.id, words)
            engine.api.exec_start(order["Id"])
            return bool(engine.api.exec_inspect(order["Id"])["ExitCode"] == 0)

        def address(process: str, network: str) -> str:
            stack = RecordFile(folder_of(running.name)).read()
            container = engine.container(stack.id, process)
            assert container is not None
            assert stack.compose is not None
            networks = engine.inspect(container.id)["NetworkSettings"]["Networks"]
            return str(networks[f"{stack.compose.project}_{network}"]["IPAddress"])

        assert reaches("found/app", "postgres", 5432)
        assert reaches("hardened/app", "pooler", 6432)
        assert not reaches("found/app", "pooler", 6432)
        assert not reaches("found/app", address("hardened/postgres", "hardened"), 5432)
        assert not reaches("found/app", address("hardened/postgres", "edge"), 5432)
