"""
Owns an HAProxy of a stack of containers: it finds the instances by name, wherever they are by now.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from playbook.stack.compose.containers import Plan, door_of, remove_container, start_container
from playbook.stack.compose.ground import PORTS, ComposeGround
from playbook.stack.proxy import LocalProxy, Upstream, spell_configuration
from playbook.stack.proxy_runtime import SOCKET

__all__ = ["ComposeProxy"]

# Docker's own name service; an instance that is gone keeps its last address, and its check says that it is down.
_RESOLVERS = """\
resolvers docker
  nameserver dns 127.0.0.11:53
  resolve_retries 1
  timeout resolve 200ms
  timeout retry 200ms
  hold valid 200ms
  hold nx 1h
  hold obsolete 0s
  hold timeout 1h
  hold refused 1h
  hold other 1h
"""
# For Prometheus, on the state's network; it is not published.
_METRICS = """\
frontend metrics
  bind *:8405
  option dontlog-normal
  http-request use-service prometheus-exporter if { path /metrics }
  http-request deny
"""


class ComposeProxy(LocalProxy):
    """
    One HAProxy in a container; `hosts` are the instances' names in the state's network, by their names here.
    """

    def __init__(
        self,
        ground: ComposeGround,
        state: str,
        process: str,
        upstreams: Sequence[Upstream],
        hosts: Mapping[str, str],
        *,
        alias: str = "proxy",
    ) -> None:
        recorded = (state, "proxy") if alias == "proxy" else None
        super().__init__(ground, process, ground.published(process, "proxy", recorded=recorded), upstreams)
        self._place = ground
        self._state = state
        self._hosts = dict(hosts)
        self._alias = alias

    def prepare(self) -> None:
        """
        Write its configuration where its container finds it.
        """
        folder = self._place.workplace(self.process)
        (folder / SOCKET).unlink(missing_ok=True)
        self._place.write_private(folder / "haproxy.cfg", self._configuration(PORTS["proxy"]))

    def start(self) -> None:
        """
        Start it and wait until it serves.
        """
        self.prepare()
        start_container(self._place, self.process, None if self._alias == "proxy" else self._plan)
        self._port.keep(self._port.number())
        self.wait_until_answering()

    def remove(self) -> None:
        """
        Remove its container, if there is one.
        """
        remove_container(self._place, self.process)
        remove_container(self._place, door_of(self.process))

    def admit(self, name: str) -> None:
        """
        Let requests reach an instance that was started again; nothing if the proxy is down.
        """
        if self.running():
            self.runtime.admit(name)

    def _plan(self) -> Plan:
        return Plan(
            self.process,
            "proxy",
            ["haproxy", "-db", "-f", "/data/haproxy.cfg"],
            networks=(self._state,),
            aliases=(self._alias,),
            ports=(PORTS["proxy"],),
            mounts=[(self._place.workplace(self.process), "/data", True)],
            workdir="/data",
        )

    def _configuration(self, port: int) -> str:
        options = f"{PORTS['app']} check resolvers docker resolve-prefer ipv4 init-addr none"
        servers = "".join(f"  server {name} {host}:{options}\n" for name, host in self._hosts.items())
        ready = self._place.record().service.ready
        return spell_configuration(bind=f"*:{port}", ready=ready, servers=servers) + _METRICS + _RESOLVERS
