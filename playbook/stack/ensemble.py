"""
Owns which processes serve one state, or one scratch of it, and how each is started so that the others know.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol

from playbook.errors import StackError, Unavailable
from playbook.stack.apps import App
from playbook.stack.ground import Ground
from playbook.stack.health import ask_status
from playbook.stack.pooler import LocalPooler
from playbook.stack.proxy import LocalProxy, Upstream
from playbook.stack.servers import Servers, process_name
from playbook.stack.store import LocalStore

__all__ = ["Attended", "Ensemble", "app_name", "upstreams"]

_READY_LIMIT_S = 15.0
_OK = 200


def app_name(instance: int) -> str:
    """
    Name an instance of the app among its state's services.
    """
    return "app" if instance == 0 else f"app-{instance}"


def upstreams(apps: Sequence[App]) -> tuple[Upstream, ...]:
    """
    See instances as their proxy does.
    """
    return tuple(Upstream(app_name(n), lambda a=app: a.port, app.running) for n, app in enumerate(apps))  # type: ignore[misc]


class Attended(Protocol):
    """
    A process that can be started again, and waited for.
    """

    @property
    def process(self) -> str: ...
    def start(self) -> None: ...
    def wait_until_answering(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Ensemble:
    """
    What serves one state or scratch; `store`, `proxy` and `pooler` are None where there is none.
    """

    ground: Ground
    state: str
    apps: tuple[App, ...]
    store: LocalStore | None = None
    proxy: LocalProxy | None = None
    pooler: LocalPooler | None = None
    servers: Servers | None = None

    @property
    def services(self) -> tuple[str, ...]:
        """The names of the services that there are."""
        optional = {"redis": self.store, "proxy": self.proxy, "pooler": self.pooler}
        return ("postgres", "app", *(name for name, one in optional.items() if one is not None))

    def attended(self, service: str, instance: int | None) -> tuple[Attended, ...]:
        """
        Find a service's processes; of the app, None means all instances.

        Raises Unavailable for a service or an instance that there is not.
        """
        self.require(service, instance)
        found: dict[str, Sequence[Attended | None]] = {
            "postgres": (_Server(self),),
            "app": [_Instance(self, n) for n in range(len(self.apps)) if instance in (None, n)],
            "redis": (self.store,),
            "proxy": (self.proxy,),
            "pooler": (self.pooler,),
        }
        return tuple(one for one in found[service] if one is not None)

    def require(self, service: str, instance: int | None = None) -> None:
        """
        Raise Unavailable, with the reason, when there is no such service or instance.
        """
        if service not in self.services:
            reason = self.ground.record().absent.get(service, f"it has: {', '.join(self.services)}")
            raise Unavailable(f"This stack has no service {service} here: {reason}", hint="See playbook doctor.")
        count = len(self.apps) if service == "app" else 1
        if instance is not None and instance not in range(count):
            raise Unavailable(
                f"There is no instance {instance} of {service}: there are {count}",
                hint="The target's service.instances says how many; a scratch has as many as it was asked for.",
            )

    def url(self, service: str, instance: int | None) -> str:
        """
        Spell a service's address; of the app, None means instance 0. Raises Unavailable.
        """
        self.require(service, instance)
        match service:
            case "app":
                return f"http://127.0.0.1:{self.apps[instance or 0].port}"
            case "proxy" if self.proxy is not None:
                return self.proxy.url
            case "redis" if self.store is not None:
                return self.store.url
            case "pooler" if self.pooler is not None:
                return self.pooler.url
        return f"postgresql://127.0.0.1:{self.ground.server_port(self.state)}"

    def start_app(self, instance: int) -> None:
        """
        Start one instance, and let the proxy send to it again.
        """
        self.apps[instance].start()
        if self.proxy is not None:
            self.proxy.admit(app_name(instance))

    def start_apps(self) -> None:
        """
        Start the instances that do not run, all at once, and wait until every one answers.
        """
        with ThreadPoolExecutor(len(self.apps)) as pool:
            for done in [pool.submit(self._serve_app, n) for n in range(len(self.apps))]:
                done.result()

    def start_ended(self, instances: frozenset[int]) -> None:
        """
        Start those of these instances that ended meanwhile: a service may end with what it depends on.

        All are tried; the first error is raised then.
        """
        ended = [instance for instance in sorted(instances) if not self.apps[instance].running()]
        with ThreadPoolExecutor(len(self.apps)) as pool:
            for done in [pool.submit(self.start_app, instance) for instance in ended]:
                done.result()

    def stop(self) -> None:
        """
        Stop whatever of it is its own (not the server), without waiting for requests in flight.
        """
        if self.proxy is not None:
            self.proxy.stop()
        for app in self.apps:
            app.stop_quickly()
        for one in (self.pooler, self.store):
            if one is not None:
                one.stop()

    def ready(self) -> frozenset[int]:
        """
        Ask which instances are ready. Read-only.
        """
        path = self.ground.record().service.ready
        return frozenset(n for n, app in enumerate(self.apps) if ask_status(app.port, path, limit_s=1.0) == _OK)

    def wait_until_serving(self, instances: frozenset[int] = frozenset()) -> None:
        """
        Wait until these instances are ready, and the proxy, if there is one and it runs, sees all that are.

        Raises StackError at the limit.
        """
        end = time.monotonic() + _READY_LIMIT_S
        while missing := instances - self.ready():
            if time.monotonic() > end:
                raise StackError(
                    f"Instances {sorted(missing)} of the app were ready, and are not {_READY_LIMIT_S:.0f} s after it",
                    hint="The service does not recover by itself: see its log.",
                )
            time.sleep(0.025)
        if self.proxy is not None and self.proxy.running():
            self.proxy.wait_until_answering()

    def _serve_app(self, instance: int) -> None:
        if self.apps[instance].running():
            self.apps[instance].wait_until_answering()
        else:
            self.start_app(instance)


@dataclass(frozen=True, slots=True)
class _Instance:
    ensemble: Ensemble
    instance: int

    @property
    def process(self) -> str:
        return self.ensemble.apps[self.instance].process

    def start(self) -> None:
        self.ensemble.start_app(self.instance)

    def wait_until_answering(self) -> None:
        self.ensemble.apps[self.instance].wait_until_answering()


@dataclass(frozen=True, slots=True)
class _Server:
    ensemble: Ensemble

    @property
    def process(self) -> str:
        return process_name(self.ensemble.state)

    def start(self) -> None:
        self._servers.start(self.ensemble.state)
        self._wait_for_pooler()

    def wait_until_answering(self) -> None:
        self._servers.wait_until_answering(self.ensemble.state)
        self._wait_for_pooler()

    def _wait_for_pooler(self) -> None:
        pooler = self.ensemble.pooler
        if pooler is not None and pooler.running():
            pooler.wait_until_answering()

    @property
    def _servers(self) -> Servers:
        return self.ensemble.servers or Servers(self.ensemble.ground)
