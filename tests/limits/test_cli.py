from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from playbook.errors import GuardError, InputError, Unavailable
from playbook.limits.addresses import DeclaredStore, Urls, capabilities_of, checked_urls
from playbook.limits.declaration import Declaration, Store
from playbook.places import places
from playbook.stack.protocol import Kill, Pause
from tests.limits.processes import Valkey, free_port, serving

DECLARE = """\
limits:
  - {id: items, path: /items, key: "header:X-API-Key", windows: [{requests: 3, seconds: 40}], counted_status: [200]}
exempt: [/health]
"""


def playbook(*argv: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "playbook", *argv], cwd=places().root, capture_output=True, text=True, check=False
    )


@pytest.mark.unit
class TestAddresses:
    """Nothing is sent beyond loopback, and no store is broken that is not declared disposable."""

    @pytest.mark.parametrize("url", ["http://example.org", "http://10.0.0.1:80", "http://[::1]:80"])
    def test_other_addresses_are_refused(self, url: str) -> None:
        with pytest.raises(GuardError, match="not on loopback"):
            checked_urls([url])

    @pytest.mark.parametrize(
        "url", ["https://127.0.0.1", "127.0.0.1:80", "http://127.0.0.1/x", "ftp://127.0.0.1", "http://127.0.0.1:0"]
    )
    def test_other_forms_are_refused(self, url: str) -> None:
        with pytest.raises(InputError, match="not of the form"):
            checked_urls([url])

    @pytest.mark.parametrize("url", ["http://127.0.0.1:99999", "http://127.0.0.1:abc", "http://[127.0.0.1"])
    def test_what_is_no_address_is_told(self, url: str) -> None:
        with pytest.raises(InputError, match=f"^--url {re.escape(url)}: ") as caught:
            checked_urls([url])
        assert "http://127.0.0.1:PORT" in caught.value.hint

    def test_what_can_be_asked_follows_from_what_is_known(self) -> None:
        limit = {"id": "a", "path": "/", "key": "ip", "windows": [{"requests": 1, "seconds": 1}]}
        plain = Declaration.model_validate({"limits": [limit]})
        mine = Declaration.model_validate({"limits": [limit], "store": {"disposable": True}})
        assert capabilities_of(Urls(("u",)), plain) == frozenset()
        assert capabilities_of(Urls(("u", "v")), mine) == {"two_instances", "redis", "faults"}

    def test_a_store_that_is_not_disposable_is_left_alone(self) -> None:
        with pytest.raises(Unavailable, match="not declared disposable"), DeclaredStore(Store()).fault(Pause("redis")):
            pass

    def test_a_store_that_cannot_be_started_again_is_not_killed(self) -> None:
        store = Store(url="redis://127.0.0.1:1", disposable=True)
        with pytest.raises(Unavailable, match="how to start"), DeclaredStore(store).fault(Kill("redis")):
            pass


@pytest.mark.stack
class TestCommand:
    """`playbook limits` probes any service on loopback and answers in the keys of issue 10."""

    def test_bad_input_is_told_before_anything_is_sent(self, tmp_path: Path) -> None:
        file = tmp_path / "limits.yaml"
        file.write_text(DECLARE.replace("windows", "window"))
        done = playbook("limits", "--url", "http://127.0.0.1:1", "--declare", str(file))
        assert (done.returncode, "limits.yaml:2: unknown field" in done.stderr) == (2, True)
        done = playbook("limits", "--url", "http://10.1.1.1", "--declare", str(file), "--json")
        assert (done.returncode, json.loads(done.stdout)["exit_code"]) == (2, 2)

    def test_a_service_that_is_not_there_is_not_judged(self, tmp_path: Path) -> None:
        file = tmp_path / "limits.yaml"
        file.write_text(DECLARE)
        url = f"http://127.0.0.1:{free_port()}"
        done = playbook("limits", "--url", url, "--declare", str(file), "--json")
        told = json.loads(done.stdout)
        assert (done.returncode, told["outcome"], told["checks"]) == (3, "error", [])
        assert f"nothing answers at {url}" in done.stderr
        assert "requests" not in done.stderr

    def test_a_sound_limiter(self, valkey: Valkey, tmp_path: Path) -> None:
        file = tmp_path / "limits.yaml"
        file.write_text(DECLARE.replace("requests: 3", "requests: 20").replace("seconds: 40", "seconds: 10"))
        port = free_port()
        argv = [sys.executable, "-m", "uvicorn", "tests.limits.zoo.moving_window:app", "--port", str(port)]
        env = {"PYTHONPATH": str(places().root), "ZOO_REDIS": valkey.url, "ZOO_SECONDS": "10"}
        with serving(argv, env, port=port, path="/health") as url:
            done = playbook("limits", "--url", url, "--declare", str(file), "--json")
        assert "1 limits: about" in done.stderr
        told = json.loads(done.stdout)
        assert (done.returncode, told["outcome"]) == (0, "pass"), done.stderr
        assert told["limits"] == [
            {
                "id": "items",
                "outcome": "pass",
                "admitted": 20,
                "algorithm": "undecided",
                "boundary_burst": None,
                "shared": None,
                "retry_after": "truthful",
                "spoofable_by": [],
                "refused_status": 429,
            }
        ]

    def test_a_store_hangs_and_goes_on(self, valkey: Valkey) -> None:
        store = Store(url=valkey.url, disposable=True)
        with redis.Redis(port=valkey.port, socket_timeout=0.5, retry=Retry(NoBackoff(), 0)) as client:
            with DeclaredStore(store, pause_s=1).fault(Pause("redis")), pytest.raises(redis.TimeoutError):
                client.set("x", 1)
            assert client.set("x", 1) is True
