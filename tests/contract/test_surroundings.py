"""The shared store, the front door, the instances and the clock: the same suite for every backend."""

from __future__ import annotations

import ipaddress
import json
import signal
import threading
import time
import urllib.error
import urllib.request

import pytest
import redis

from playbook.errors import InputError, Unavailable
from playbook.service.connection import Connection
from playbook.stack.protocol import Endpoints, Fault, Kill, Pause, Restart, Signal, Site, Stack, State

pytestmark = pytest.mark.stack
BOTH: tuple[State, ...] = ("found", "hardened")


def ask(url: str, *, headers: dict[str, str] | None = None, limit_s: float = 5.0) -> tuple[int, dict[str, str]]:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers or {}), timeout=limit_s) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, {}


def pids(endpoints: Endpoints, times: int = 8) -> set[str]:
    """Who answers behind the front door."""
    return {ask(endpoints.url("proxy") + "/pid")[1]["pid"] for _ in range(times)}


def until(true: object, limit_s: float = 5.0) -> None:
    end = time.monotonic() + limit_s
    while not true():  # type: ignore[operator]
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.fixture(autouse=True)
def _needed(backend: Stack) -> None:
    missing = {"redis", "proxy", "two_instances"} - backend.capabilities
    if missing:
        pytest.skip(f"this machine's stack lacks {', '.join(sorted(missing))}")


@pytest.fixture
def site(backend: Stack) -> Site:
    return backend.site("hardened")


def client(site: Site, role: str = "admin") -> redis.Redis:
    assert site.store is not None
    return redis.Redis.from_url(site.store.dsn(role), socket_timeout=1, decode_responses=True)  # type: ignore[arg-type]


class TestInstances:
    """Two instances of one state serve one database and one store, each at an address of its own."""

    @pytest.mark.parametrize("state", BOTH)
    def test_each_has_its_own_address(self, backend: Stack, state: State) -> None:
        endpoints = backend.endpoints(state)
        assert endpoints.url("app") == endpoints.url("app", 0) != endpoints.url("app", 1)
        seen = {ask(endpoints.url("app", n) + "/pid")[1]["pid"] for n in (0, 1)}
        assert len(seen) == 2
        assert pids(endpoints) == seen

    def test_they_share_the_store_and_the_states_do_not(self, backend: Stack, site: Site) -> None:
        first = int(ask(site.endpoints.url("app", 0) + "/count")[1]["count"])
        assert int(ask(site.endpoints.url("app", 1) + "/count")[1]["count"]) == first + 1
        with client(backend.site("found")) as found, client(site) as hardened:
            found.delete("count")
            assert hardened.get("count") == str(first + 1)

    def test_configure_renews_both(self, backend: Stack, site: Site) -> None:
        before = pids(site.endpoints)
        backend.configure("hardened", {"ready_checks_dependencies": True})
        try:
            assert pids(site.endpoints).isdisjoint(before)
        finally:
            backend.configure("hardened", {"ready_checks_dependencies": False})

    def test_one_is_killed_and_the_other_serves_on(self, site: Site) -> None:
        other = ask(site.endpoints.url("app", 0) + "/pid")[1]["pid"]
        with site.faults.fault(Kill("app", instance=1)):
            until(lambda: pids(site.endpoints, 4) == {other})
            with pytest.raises(urllib.error.URLError):
                ask(site.endpoints.url("app", 1) + "/pid")
        until(lambda: len(pids(site.endpoints)) == 2)  # the front door asks who is well every now and then


class TestStore:
    """The store holds what it is given, for its state only, and gives the app no more than it needs."""

    @pytest.mark.parametrize("fault", [Kill("redis"), Restart("redis"), Pause("redis")], ids=repr)
    def test_it_is_gone_and_back_with_what_it_held(self, site: Site, fault: Fault) -> None:
        with client(site) as store:
            store.set("kept", "still here")
        with site.faults.fault(fault), client(site) as store, pytest.raises(redis.RedisError):
            store.ping()
        with client(site) as store:
            assert store.get("kept") == "still here"
            store.delete("kept")

    @pytest.mark.parametrize("command", ["FLUSHALL", "KEYS *", "CONFIG GET save", "SHUTDOWN", "ACL LIST"])
    def test_app_account_may_not(self, site: Site, command: str) -> None:
        with client(site, "app") as store, pytest.raises(redis.exceptions.NoPermissionError):
            store.execute_command(*command.split())

    def test_app_account_runs_scripts(self, site: Site) -> None:
        with client(site, "app") as store:
            assert store.eval("return redis.call('INCR', KEYS[1])", 1, "scripted") >= 1

    def test_nobody_gets_in_without_an_account(self, site: Site) -> None:
        with (
            redis.Redis.from_url(site.endpoints.url("redis")) as store,
            pytest.raises(redis.exceptions.AuthenticationError),
        ):
            store.ping()

    def test_a_scratch_has_an_empty_one_of_its_own(self, backend: Stack, site: Site) -> None:
        ask(site.endpoints.url("app") + "/count")
        with backend.scratch("hardened") as scratch:
            assert ask(scratch.endpoints.url("app") + "/count")[1]["count"] == "1"
            assert scratch.endpoints.url("redis") != site.endpoints.url("redis")
            with scratch.faults.fault(Kill("redis")), client(site) as store:
                assert store.ping()


class TestProxy:
    """The front door sends to instances that are ready, and says itself who the client is."""

    @pytest.mark.parametrize("fault", [Kill("proxy"), Restart("proxy"), Pause("proxy")], ids=repr)
    def test_it_is_gone_and_back(self, site: Site, fault: Fault) -> None:
        with site.faults.fault(fault):
            with pytest.raises(OSError):  # noqa: PT011 (refused, or timed out)
                ask(site.endpoints.url("proxy") + "/pid", limit_s=1.0)
            assert ask(site.endpoints.url("app", 1) + "/pid")[0] == 200
        assert len(pids(site.endpoints)) == 2

    def test_client_cannot_say_who_it_is(self, site: Site) -> None:
        lies = {"X-Forwarded-For": "6.6.6.6", "Forwarded": "for=6.6.6.6", "X-Real-IP": "6.6.6.6"}
        heard = ask(site.endpoints.url("proxy") + "/headers", headers=lies)[1]
        ipaddress.ip_address(heard["x-forwarded-for"])
        assert "6.6.6.6" not in json.dumps(heard)

    @pytest.mark.parametrize("source", ["127.0.0.1", "127.44.7.9"])
    def test_clients_are_told_apart_by_their_addresses(self, backend: Stack, site: Site, source: str) -> None:
        if "client_addresses" not in backend.capabilities:
            pytest.skip("a client has one address here")
        url = site.endpoints.url("proxy")
        line = Connection(url if site.doors is None else site.doors.door(url), source, 5.0)
        line.request("GET", "/headers")
        assert json.load(line.getresponse())["x-forwarded-for"] == source
        line.close()

    def test_a_closed_port_is_seen_to_be_closed(self, site: Site) -> None:
        url = site.endpoints.url("app", 1)
        door = url if site.doors is None else site.doors.door(url)
        with site.faults.fault(Restart("app", instance=1)), pytest.raises(OSError):  # noqa: PT011 (refused)
            Connection(door, "127.0.0.1", 1.0).connect()
        again = site.endpoints.url("app", 1)
        Connection(again if site.doors is None else site.doors.door(again), "127.0.0.1", 1.0).connect()

    def test_unready_instance_gets_nothing_until_it_is_ready_again(self, site: Site) -> None:
        first, second = (ask(site.endpoints.url("app", n) + "/pid")[1]["pid"] for n in (0, 1))
        with site.faults.fault(Signal("app", signal.SIGUSR1, instance=1)):
            until(lambda: pids(site.endpoints, 4) == {first})
            assert ask(site.endpoints.url("app", 1) + "/pid")[0] == 200
            with site.faults.fault(Signal("app", signal.SIGUSR2, instance=1)):
                until(lambda: pids(site.endpoints) == {first, second})

    def test_nothing_ready_is_503(self, site: Site) -> None:
        with site.faults.fault(Kill("app")):
            until(lambda: ask(site.endpoints.url("proxy") + "/pid")[0] == 503)
        assert len(pids(site.endpoints)) == 2


class TestRollout:
    """Instances are restarted one after another; gracefully nobody is cut off."""

    @pytest.mark.parametrize("form", ["naive", "graceful"])
    def test_every_instance_is_a_new_one(self, site: Site, form: str) -> None:
        assert site.rollout is not None
        before = pids(site.endpoints)
        done = site.rollout.restart(form)  # type: ignore[arg-type]
        assert [one.instance for one in done] == [0, 1]
        assert done[0].left_at < done[0].back_at <= done[1].left_at < done[1].back_at
        assert pids(site.endpoints).isdisjoint(before)

    def test_graceful_loses_no_request_in_flight(self, site: Site) -> None:
        assert site.rollout is not None
        lost: list[str] = []
        done, ended = threading.Event(), []

        def load() -> None:
            while not done.is_set():
                try:
                    ended.append(ask(site.endpoints.url("proxy") + "/slow/0.3")[0])
                except OSError as error:
                    lost.append(str(error))

        threads = [threading.Thread(target=load) for _ in range(4)]
        for thread in threads:
            thread.start()
        try:
            site.rollout.restart("graceful")
        finally:
            done.set()
            for thread in threads:
                thread.join()
        assert lost == []
        assert set(ended) == {200}


class TestScratch:
    """A scratch has instances and a front door of its own, if it is asked for them."""

    def test_with_instances_and_proxy(self, backend: Stack, site: Site) -> None:
        with backend.scratch("hardened", instances=2, proxy=True) as scratch:
            assert {"proxy", "two_instances"} <= scratch.capabilities
            assert len(pids(scratch.endpoints)) == 2
            assert pids(scratch.endpoints).isdisjoint(pids(site.endpoints))
            with scratch.faults.fault(Kill("app", instance=0)):
                assert len(pids(site.endpoints)) == 2
            door = scratch.endpoints.url("proxy")
        with pytest.raises(urllib.error.URLError):
            ask(door + "/pid")

    def test_every_instance_is_told_its_settings_and_the_state_is_not(self, backend: Stack, site: Site) -> None:
        with backend.scratch("hardened", instances=2, settings={"told": "a secret"}) as scratch:
            for instance in range(2):
                assert ask(scratch.endpoints.url("app", instance) + "/who")[1]["told"] == "a secret"
            with scratch.faults.fault(Kill("app", instance=0)):
                pass
            assert ask(scratch.endpoints.url("app", 0) + "/who")[1]["told"] == "a secret"
        assert ask(site.endpoints.url("app") + "/who")[1]["told"] is None

    def test_without_them_they_are_unavailable(self, backend: Stack) -> None:
        with backend.scratch("hardened") as scratch:
            assert not {"proxy", "two_instances", "clock"} & scratch.capabilities
            assert scratch.clock is None
            for service, instance in (("proxy", None), ("app", 1)):
                with pytest.raises(Unavailable):
                    scratch.endpoints.url(service, instance)


class TestClock:
    """A scratch's clock moves for its app and its store, and for nobody else."""

    def test_what_the_store_keeps_expires_when_the_clock_moves(self, backend: Stack) -> None:
        if "clock" not in backend.capabilities:
            pytest.skip("no clock can be moved here")
        with backend.scratch("hardened", clock=True) as scratch:
            assert scratch.clock is not None
            with client(scratch) as store:
                store.set("long", "x", ex=3600)
                scratch.clock.advance(3000)
                assert 500 < int(ask(scratch.endpoints.url("app") + "/count")[1]["left_s"]) < 610
                scratch.clock.advance(700)
                assert store.get("long") is None
            with pytest.raises(InputError):
                scratch.clock.advance(-1)
            with scratch.faults.fault(Kill("redis")):
                pass
            scratch.clock.advance(60)
