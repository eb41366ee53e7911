"""
Owns an HAProxy of a local stack: its configuration, its start, and when it counts as serving.

A request is sent once more, to another instance, only when no connection could be made: then nothing of it was sent,
so that no POST is ever replayed. The client's address is set by the proxy, whatever the client says it is.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from playbook.errors import StackError
from playbook.stack.children import Order
from playbook.stack.ground import Ground
from playbook.stack.health import ask_status
from playbook.stack.health_check import FALL, INTERVAL_S
from playbook.stack.ports import KeptPort, ended, on_free_port
from playbook.stack.proxy_runtime import BACKEND, SOCKET, ProxyRuntime

__all__ = ["LocalProxy", "Upstream", "spell_configuration"]

_START_LIMIT_S = 10.0
_SERVING_LIMIT_S = 10.0
_LADDER = ((signal.SIGUSR1, 0.5), (signal.SIGTERM, 2.0))
_OK = 200

_CONFIGURATION = """\
global
  stats socket unix@{socket} mode 600 level admin
  maxconn 4000
  log stdout format raw local0 info
  noreuseport
  nbthread 1
  hard-stop-after 10s
defaults
  mode http
  log global
  option httplog
  option dontlog-normal
  option redispatch 1
  retries 3
  retry-on conn-failure
  timeout connect 1s
  timeout client 30s
  timeout server 30s
  timeout queue 5s
  timeout check 1s
frontend front
  bind {bind}
  http-request del-header Forwarded
  http-request del-header X-Real-IP
  http-request set-header X-Forwarded-For %[src]
  http-request set-header X-Forwarded-Proto http
  default_backend {backend}
backend {backend}
  balance roundrobin
  option httpchk
  http-check send meth GET uri {ready} ver HTTP/1.1 hdr Host localhost
  http-check expect status 200
  default-server inter {interval}ms fastinter 100ms downinter 100ms fall {fall} rise 1
{servers}"""


def spell_configuration(*, bind: str, ready: str, servers: str) -> str:
    """
    Spell the whole configuration: where it listens, how instances are asked whether they are ready, and their lines.
    """
    return _CONFIGURATION.format(
        socket=SOCKET,
        bind=bind,
        backend=BACKEND,
        ready=ready,
        interval=round(INTERVAL_S * 1000),
        fall=FALL,
        servers=servers,
    )


@dataclass(frozen=True, slots=True)
class Upstream:
    """
    One instance behind the proxy.
    """

    name: str
    port: Callable[[], int]
    running: Callable[[], bool]


class LocalProxy:
    """
    One HAProxy in front of the instances of one state or scratch.
    """

    def __init__(self, ground: Ground, process: str, port: KeptPort, upstreams: Sequence[Upstream]) -> None:
        self._ground = ground
        self._port = port
        self._upstreams = tuple(upstreams)
        self.process = process

    @property
    def url(self) -> str:
        """The front door."""
        return f"http://127.0.0.1:{self._port.number()}"

    @property
    def runtime(self) -> ProxyRuntime:
        """The conversation with the process as it runs now."""
        return ProxyRuntime(self._ground.workplace(self.process))

    def running(self) -> bool:
        """
        Say whether its process is there. Read-only.
        """
        return self._ground.control.running(self.process)

    def start(self) -> None:
        """
        Start it, on the port that it had if that is free, and wait until it serves.
        """
        folder = self._ground.workplace(self.process)

        def on_port(port: int) -> None:
            self._port.keep(port)
            (folder / SOCKET).unlink(missing_ok=True)
            self._ground.write_private(folder / "haproxy.cfg", self._configuration(port))
            self._ground.control.spawn(self._order(str(folder)))
            self._wait_until_listening(port)
            self.wait_until_answering()

        on_free_port(on_port, what=f"The proxy {self.process}", first=self._port.number() or None)

    def stop(self) -> None:
        """
        Stop it if it runs; requests in flight have half a second.
        """
        if self.running():
            self._ground.control.stop(self.process)

    def wait_until_answering(self) -> None:
        """
        Wait until it sees as up every instance that runs and is ready. Raises StackError at the limit.
        """
        self._wait_until_listening(self._port.number())
        ready = self._ground.record().service.ready
        end = time.monotonic() + _SERVING_LIMIT_S
        while True:
            seen = {one.name: one for one in self.runtime.instances()}
            missing = [
                each.name
                for each in self._upstreams
                if not seen[each.name].up and each.running() and ask_status(each.port(), ready) == _OK
            ]
            if not missing:
                return
            if time.monotonic() > end:
                states = ", ".join(f"{name}: {seen[name].status} {seen[name].check}" for name in missing)
                raise StackError(
                    f"The proxy {self.process} does not see what is ready ({states})", hint="Is the machine very busy?"
                )
            time.sleep(0.02)

    def admit(self, name: str) -> None:
        """
        Let requests reach an instance that was started again, wherever it listens now; nothing if the proxy is down.
        """
        if self.running():
            port = next(each.port() for each in self._upstreams if each.name == name)
            self.runtime.admit(name, port)

    def sessions(self, name: str) -> int:
        """
        Count the requests that an instance is answering now. Read-only.
        """
        return next(one.sessions for one in self.runtime.instances() if one.name == name)

    def _wait_until_listening(self, port: int) -> None:
        end = time.monotonic() + _START_LIMIT_S
        while not self._listens():
            if not self.running():
                raise ended(f"The proxy {self.process}", self._ground.tail(self.process), port=port)
            if time.monotonic() > end:
                raise StackError(
                    f"The proxy {self.process} did not answer in {_START_LIMIT_S:.0f} s:\n"
                    f"{self._ground.tail(self.process)}",
                    hint="Is the machine very busy?",
                )
            time.sleep(0.01)

    def _listens(self) -> bool:
        try:
            self.runtime.instances()
        except StackError:
            return False
        return True

    def _configuration(self, port: int) -> str:
        servers = "".join(f"  server {each.name} 127.0.0.1:{each.port()} check\n" for each in self._upstreams)
        ready = self._ground.record().service.ready
        return spell_configuration(bind=f"127.0.0.1:{port}", ready=ready, servers=servers)

    def _order(self, folder: str) -> Order:
        record = self._ground.record()
        return Order(
            name=self.process,
            argv=(str(record.programs["proxy"].path), "-db", "-f", "haproxy.cfg"),
            env={"PATH": "/usr/bin:/bin", "LC_ALL": "C"},
            cwd=folder,
            log=str(self._ground.log(self.process)),
            uid=record.server_uid,
            gid=record.server_gid,
            stop=_LADDER,
        )
