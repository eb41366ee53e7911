from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import httpx
import pytest

from playbook.errors import InputError
from playbook.stack.compose.engine import Engine
from playbook.stack.compose.labels import STACK
from playbook.stack.compose.stack import ComposeStack
from playbook.stack.compose.start_order import GO_ON, HANG
from playbook.stack.protocol import Restart
from playbook.stack.record import RecordFile
from playbook.stack.registry import folder_of
from tests.compose.s3 import S3

pytestmark = [pytest.mark.compose, pytest.mark.stack]
WORKERS = 2
TRAFFIC = {
    "operations": [{"id": "live", "method": "GET", "path": "/health/live", "weight": 1}],
    "login": None,
    "callers": [],
}


@pytest.fixture(scope="module")
def beside(engine: Engine, running: ComposeStack) -> Iterator[Mapping[str, str]]:
    """All profiles beside the stack that other tests look at too; they are gone when those go on."""
    stack = RecordFile(folder_of(running.name)).read().id
    before = {one.id for one in engine.containers(stack)}
    try:
        yield running.add(["load", "observe", "store"], workers=WORKERS, traffic=TRAFFIC)
    finally:
        for one in engine.containers(stack):
            if one.id not in before:
                engine.remove("container", one.id)
        for key, name in engine.objects([f"{STACK}={stack}"])["network"].items():
            if name.endswith("_observe"):
                engine.remove("network", key)


def ask(url: str) -> Any:
    answer = httpx.get(url, timeout=5, trust_env=False)
    answer.raise_for_status()
    return answer.json()


def until(what: str, seen: Callable[[], Any], limit_s: float = 40.0) -> None:
    end = time.monotonic() + limit_s
    while not (last := seen()):
        assert time.monotonic() < end, f"{what}: {last}"
        time.sleep(0.5)


class TestTheirContainers:
    """Who stands beside the states is bound as the states' own services are."""

    def test_all_are_healthy_and_bound(self, engine: Engine, running: ComposeStack, beside: Mapping[str, str]) -> None:
        stack = RecordFile(folder_of(running.name)).read().id
        found = [one for one in engine.containers(stack) if one.process.split("/")[0] in {"observe", "load", "store"}]
        assert len(found) == 4 + 1 + WORKERS + 1
        assert {one.health for one in found} == {"healthy"}
        for one in found:
            seen = engine.inspect(one.id)
            host = seen["HostConfig"]
            assert host["CapDrop"] == ["ALL"], one.process
            assert host["ReadonlyRootfs"], one.process
            assert seen["Config"]["User"].split(":")[0] not in {"", "0", "root"}, one.process
            assert {b["HostIp"] for bs in (host["PortBindings"] or {}).values() for b in bs} <= {"127.0.0.1"}
            assert [value for value in running.secrets.values() if len(value) > 8 and value in str(seen)] == []

    @pytest.mark.soak
    def test_every_health_check_is_able_to_fail(
        self, engine: Engine, running: ComposeStack, beside: Mapping[str, str]
    ) -> None:
        stack = RecordFile(folder_of(running.name)).read().id
        wanted = {
            one.id for one in engine.containers(stack) if one.process.split("/")[0] in {"observe", "load", "store"}
        }

        def healths() -> dict[str, str]:
            return {f"{one.process} {one.id[:6]}": one.health for one in engine.containers(stack) if one.id in wanted}

        def tell(words: Sequence[str]) -> None:
            for one in wanted:
                order = engine.api.exec_create(one, list(words))
                engine.api.exec_start(order["Id"])

        def still(health: str) -> dict[str, str]:
            return {name: seen for name, seen in healths().items() if seen != health}

        try:
            tell(HANG)
            end = time.monotonic() + 40
            while well := still("unhealthy"):
                assert time.monotonic() < end, well
                time.sleep(0.5)
        finally:
            tell(GO_ON)
        until("all are healthy again", lambda: not still("healthy"))

    def test_an_unknown_profile_is_refused(self, running: ComposeStack) -> None:
        with pytest.raises(InputError, match="no profile nothing"):
            running.add(["nothing"])

    def test_so_is_a_swarm_that_is_too_large(self, running: ComposeStack) -> None:
        with pytest.raises(InputError, match="17 workers"):
            running.add(["load"], workers=17)


class TestObserve:
    """Prometheus sees everything of both states; a database that stops is told, of its state only, until it is back."""

    def test_all_targets_are_up(self, beside: Mapping[str, str]) -> None:
        def targets() -> bool:
            known = ask(f"{beside['observe/prometheus']}/api/v1/targets")["data"]["activeTargets"]
            assert len(known) == 4 + 3 * 2
            return {one["health"] for one in known} == {"up"}

        until("all targets are up", targets)

    def test_a_stopped_database_is_told(self, running: ComposeStack, beside: Mapping[str, str]) -> None:
        def told() -> set[tuple[str, str]]:
            alerts = ask(f"{beside['observe/alertmanager']}/api/v2/alerts?active=true")
            return {(one["labels"]["alertname"], one["labels"].get("state", "")) for one in alerts}

        until("both databases are seen", lambda: len(_up(beside)) == 2 and set(_up(beside).values()) == {"1"})
        assert not {one for one in told() if one[0] == "DatabaseDown"}
        with running.faults("found").fault(Restart("postgres")):
            until("the alert", lambda: ("DatabaseDown", "found") in told())
            assert ("DatabaseDown", "hardened") not in told()
        until("both databases are back", lambda: set(_up(beside).values()) == {"1"})


def _up(beside: Mapping[str, str]) -> dict[str, str]:
    rows = ask(f'{beside["observe/prometheus"]}/api/v1/query?query=pg_up{{job="postgres"}}')["data"]["result"]
    return {row["metric"]["state"]: row["value"][1] for row in rows}


class TestLoad:
    """The swarm's workers share the work, and its requests reach the service."""

    def test_a_swarm_sends_requests(self, beside: Mapping[str, str]) -> None:
        master = beside["load/master"]

        def stats() -> Any:
            return ask(f"{master}/stats/requests")

        until("both workers are ready", lambda: len(stats()["workers"]) == WORKERS)
        begun = httpx.post(f"{master}/swarm", data={"user_count": 4, "spawn_rate": 4}, timeout=5, trust_env=False)
        assert begun.json()["success"]
        until("requests", lambda: _total(stats())["num_requests"] >= 20)
        assert [one["user_count"] for one in stats()["workers"]] == [2, 2]
        assert _total(stats())["num_failures"] == 0
        assert httpx.post(f"{master}/stop", timeout=5, trust_env=False).json()["success"]


def _total(stats: Any) -> Any:
    return next(one for one in stats["stats"] if one["name"] == "Aggregated")


class TestStore:
    """Whoever has the stack's key may put, read and list objects, over TLS; whoever has not, nothing."""

    @pytest.fixture
    def client(self, running: ComposeStack, beside: Mapping[str, str]) -> S3:
        certificate = (folder_of(running.name) / "secrets" / "store-certificate").read_text()
        secrets = running.secrets
        return S3(beside["store/store"], certificate, secrets["store_access_key"], secrets["store_secret_key"])

    def test_an_object_is_kept(self, client: S3) -> None:
        assert client.ask("PUT", "/backups").status_code == 200
        assert client.ask("PUT", "/backups/a/one", b"content").status_code == 200
        assert client.ask("GET", "/backups/a/one").content == b"content"
        assert "<Key>a/one</Key>" in client.ask("GET", "/backups", query="list-type=2").text

    @pytest.mark.parametrize("wrong", ["access_key", "secret_key"])
    def test_a_wrong_key_is_refused(self, client: S3, wrong: str) -> None:
        other = replace(client, **{wrong: "wrong"})
        for method, path in (("GET", "/"), ("GET", "/backups/a/one"), ("PUT", "/backups/b")):
            assert other.ask(method, path, b"x" if method == "PUT" else b"").status_code == 403

    def test_nobody_is_refused(self, client: S3, running: ComposeStack) -> None:
        with httpx.Client(verify=False, trust_env=False) as anonymous:
            assert anonymous.get(f"{client.url}/backups/a/one").status_code == 403

    def test_another_certificate_is_not_taken(self, client: S3) -> None:
        with httpx.Client(trust_env=False) as client_, pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY"):
            client_.get(client.url)
