"""
Owns looking at the containers of one state or scratch, from inside and by what the engine shows of them.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from docker.errors import DockerException

from playbook.errors import StackError, Unavailable
from playbook.stack.compose.engine import Container
from playbook.stack.compose.ground import ComposeGround
from playbook.stack.compose.start_order import GO_ON, HANG, StartOrder
from playbook.stack.compose.tools import execute
from playbook.stack.ensemble import Ensemble
from playbook.stack.protocol import Begun, Completed, Weakness

__all__ = ["ComposeContainers"]


class ComposeContainers:
    """
    The containers of an ensemble; the server of a state is none of its scratches'.
    """

    def __init__(self, ground: ComposeGround, ensemble: Ensemble, weakness: Weakness | None = None) -> None:
        self._ground = ground
        self._order = StartOrder(ground, ensemble.state, weak=weakness == "starts-at-once")
        self._first = ensemble.apps[0].process
        self._own = self._first == f"{ensemble.state}/app"
        self._state = ensemble.state

    def names(self) -> Sequence[str]:
        """
        List them, as the engine does. Read-only.
        """
        found = self._ground.engine.containers(self._ground.record().id)
        return sorted(name for one in found if (name := self._name(one.process)) is not None)

    def run(self, name: str, words: Sequence[str]) -> Completed:
        """
        Run a command inside, by the account of the service.
        """
        began = time.monotonic()
        code, stdout, stderr = execute(self._ground, self._process(name), words)
        return Completed(tuple(words), code, stdout, stderr, time.monotonic() - began)

    def shown(self, name: str) -> str:
        """
        Spell all that the engine shows of a container and of its image. Read-only.
        """
        seen = self._ground.engine.inspect(self._container(name).id)
        api = self._ground.engine.api
        try:
            image = api.inspect_image(seen["Image"])  # type: ignore[no-untyped-call]
            history = api.history(seen["Image"])  # type: ignore[no-untyped-call]
        except DockerException as error:
            raise StackError(f"The image of {name} cannot be looked at: {error}", hint="Is it healthy?") from error
        return json.dumps([dict(seen), image, history])

    def weaknesses(self, name: str) -> Sequence[Weakness]:
        """
        Say what its description lacks of ours. Read-only.
        """
        seen = self._ground.engine.inspect(self._container(name).id)
        host, config = seen["HostConfig"], seen["Config"]
        bindings = [one for each in (host["PortBindings"] or {}).values() for one in each]
        test = (config.get("Healthcheck") or {}).get("Test") or []
        lacking: Mapping[Weakness, bool] = {
            "root": config["User"].split(":")[0] in {"", "0", "root"},
            "capability": bool(host["CapAdd"]),
            "writable-root": not host["ReadonlyRootfs"],
            "port-beyond-loopback": any(one["HostIp"] != "127.0.0.1" for one in bindings),
            "no-limits": not (host["Memory"] and host["PidsLimit"]),
            "secret-in-environment": any("SECRET" in one.partition("=")[0] for one in config["Env"] or ()),
            "health-always-good": test == ["CMD", "true"],
            "health-asks-itself": self._ground.record().service.live in test,
            "starts-at-once": name == "app" and not self._order.waits(),
            "no-restart": host["RestartPolicy"]["Name"] in {"", "no"},
            "unbounded-log": not host["LogConfig"]["Config"],
        }
        return [weakness for weakness, lacks in lacking.items() if lacks]

    def described(self) -> Sequence[str]:
        """
        List the services of the state itself. Read-only.
        """
        return self._order.services()

    def start_held(self, name: str, hold_s: float) -> Mapping[str, Begun]:
        """
        Stop the state and start it again, while one of its services hangs for so long from its first moment.
        """
        return self._order.start_held(name, hold_s)

    def published(self, name: str) -> Sequence[str]:
        """
        List the addresses on which its ports are published. Read-only.
        """
        ports = self._ground.engine.inspect(self._container(name).id)["NetworkSettings"]["Ports"] or {}
        return sorted({str(one["HostIp"]) for bindings in ports.values() for one in bindings or ()})

    def log_options(self, name: str) -> Mapping[str, str]:
        """
        Read how its log is kept. Read-only.
        """
        kept = self._ground.engine.inspect(self._container(name).id)["HostConfig"]["LogConfig"]
        return {"driver": str(kept["Type"]), **(kept["Config"] or {})}

    def health(self, name: str) -> str:
        """
        Read what its health check said last; empty when it has none. Read-only.
        """
        health = self._ground.engine.inspect(self._container(name).id)["State"].get("Health")
        return str(health["Status"]) if health else ""

    def started(self, name: str) -> str:
        """
        Read when its present run began; empty while it does not run. Read-only.
        """
        state = self._ground.engine.inspect(self._container(name).id)["State"]
        return str(state["StartedAt"]) if state["Status"] == "running" else ""

    @contextmanager
    def hang(self, name: str) -> Iterator[None]:
        """
        Freeze all processes of the service for the time of the block; the container's first one goes on.
        """
        self.run(name, HANG)
        try:
            yield
        finally:
            self.run(name, GO_ON)

    def crash(self, name: str) -> None:
        """
        Kill the processes of the service without the engine's being told.
        """
        self.run(name, ["bash", "-c", "kill -KILL -1"])

    def _name(self, process: str) -> str | None:
        if self._own:
            state, _, name = process.partition("/")
            return name if state == self._state and not name.startswith("scratch_") else None
        if not process.startswith(self._first):
            return None
        rest = process.removeprefix(self._first).removeprefix("-")
        return "app" if not rest else f"app-{rest}" if rest.isdigit() else rest

    def _process(self, name: str) -> str:
        if self._own:
            return f"{self._state}/{name}"
        rest = name.removeprefix("app").removeprefix("-")
        return f"{self._first}-{rest}" if rest else self._first

    def _container(self, name: str) -> Container:
        found = self._ground.containers.find(self._process(name))
        if found is None:
            raise Unavailable(f"There is no container of {name}", hint="See playbook ps.")
        return found
