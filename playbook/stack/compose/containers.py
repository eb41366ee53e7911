"""
Owns containers beside those of compose.yaml: what they may do and how much they may take, which is no more than there.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from docker.errors import DockerException
from docker.types import Healthcheck, LogConfig, Mount, NetworkingConfig

from playbook.errors import StackError
from playbook.stack.compose.ground import ComposeGround
from playbook.stack.compose.labels import PROCESS, labels_of
from playbook.stack.protocol import Weakness

__all__ = ["EDGE", "SETTINGS", "Plan", "copy_code", "door_of", "make_container", "remove_container", "start_container"]

EDGE = "edge"
SETTINGS = "/run/secrets/settings"
CODE = "/srv/app"
_LOG = {"max-size": "10m", "max-file": "2"}
_MEMORY = {"postgres": "1g", "redis": "256m", "app": "512m", "proxy": "128m"}


@dataclass(frozen=True, slots=True)
class Plan:
    """
    One container: the image by name, its command, the state's network it is on and its names there.

    `ports` are published on loopback, each time on a free one. `mounts`: (here, there, writable). Without a network it
    has none; with `host` it has this machine's, with `beside` that of another container.
    """

    process: str
    image: str
    command: Sequence[str]
    networks: Sequence[str] = ()
    aliases: Sequence[str] = ()
    ports: Sequence[int] = ()
    mounts: Sequence[tuple[Path, str, bool]] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    entrypoint: Sequence[str] | None = None
    workdir: str | None = None
    host: bool = False
    beside: str = ""
    health: Sequence[str] = ()
    restart: bool = False
    weakness: Weakness | None = None

    @property
    def command_line(self) -> tuple[str, ...]:
        """The command as one runs it."""
        return tuple(self.command)


def make_container(ground: ComposeGround, plan: Plan) -> str:
    """
    Make a container, not started; returns its id. Raises StackError.
    """
    api = ground.engine.api
    record = ground.record()
    weak = plan.weakness
    mounts = [(ground.secret("passwd"), "/etc/passwd", False), *plan.mounts]
    limits = api.create_host_config(
        network_mode=_network_mode(ground, plan),
        port_bindings={port: _addresses(ground, weak) for port in plan.ports},
        mounts=[Mount(there, str(here), type="bind", read_only=not rw) for here, there, rw in mounts],
        read_only=weak != "writable-root",
        cap_drop=["ALL"],
        cap_add=["NET_RAW"] if weak == "capability" else None,
        restart_policy={"Name": "unless-stopped"} if plan.restart and weak != "no-restart" else None,
        security_opt=["no-new-privileges:true"],
        pids_limit=None if weak == "no-limits" else 200,
        dns_opt=None if plan.beside else ["attempts:1", "timeout:1"],
        mem_limit=None if weak == "no-limits" else _MEMORY[plan.image],
        tmpfs={"/tmp": "size=64m,mode=1777"},  # noqa: S108 (inside of the container)
        log_config=LogConfig(type="json-file", config={} if weak == "unbounded-log" else _LOG),
        init=True,
    )
    labels = {**labels_of(record, ground.folder), PROCESS: plan.process}
    try:
        networking = None
        if plan.networks and not plan.host:
            endpoint = api.create_endpoint_config(aliases=list(plan.aliases))
            endpoints = {ground.network(plan.networks[0]): endpoint}
            networking = NetworkingConfig(endpoints)  # type: ignore[arg-type]
        made = api.create_container(
            ground.part().images[plan.image],
            list(plan.command),
            entrypoint=None if plan.entrypoint is None else list(plan.entrypoint),
            user="0:0" if weak == "root" else ground.user(),
            ports=list(plan.ports),
            environment=_environment(ground, plan),
            healthcheck=_health(ground, plan),
            working_dir=plan.workdir,
            labels=labels,
            host_config=limits,
            networking_config=networking,
            name=f"{ground.part().project}-{plan.process.replace('/', '-')}",
        )
        container = str(made["Id"])
        for network in (*plan.networks[1:], *((EDGE,) if plan.ports else ())):
            names = None if network == EDGE else list(plan.aliases)
            api.connect_container_to_network(container, ground.network(network), aliases=names)
    except DockerException as error:
        raise StackError(f"A container for {plan.process} cannot be made: {error}", hint="See the engine.") from error
    return container


def _network_mode(ground: ComposeGround, plan: Plan) -> str:
    if plan.beside:
        return f"container:{plan.beside}"
    if plan.host:
        return "host"
    return ground.network(plan.networks[0]) if plan.networks else "none"


def _addresses(ground: ComposeGround, weak: Weakness | None) -> list[tuple[str]]:
    """
    Say on which addresses a port is published; the weak one's second is this machine's too, and nobody else's.
    """
    beyond = [(ground.engine.gateway(ground.network(EDGE)),)] if weak == "port-beyond-loopback" else []
    return [("127.0.0.1",), *beyond]


def _environment(ground: ComposeGround, plan: Plan) -> dict[str, str]:
    shown = {"JWT_SECRET": ground.record().secrets["jwt_secret"]} if plan.weakness == "secret-in-environment" else {}
    return {**plan.environment, **shown}


def _health(ground: ComposeGround, plan: Plan) -> Healthcheck | None:
    words = ["true"] if plan.weakness == "health-always-good" else plan.health
    if plan.weakness == "health-asks-itself":
        service = ground.record().service
        words = [service.live if word == service.ready else word for word in words]
    if not words:
        return None
    second = 1_000_000_000
    return Healthcheck(
        test=["CMD", *words], interval=3 * second, timeout=2 * second, retries=2, start_period=60 * second
    )


def start_container(ground: ComposeGround, process: str, plan: Callable[[], Plan] | None = None) -> None:
    """
    Start a container, afresh if it runs; one that is planned is made first if it is not there. Raises StackError.
    """
    found = ground.containers.find(process)
    if found is None and plan is not None:
        make_container(ground, plan())
        found = ground.containers.find(process)
    if found is None:
        raise StackError(f"There is no container of {process}", hint="Start afresh: playbook down, then playbook up.")
    ground.containers.end(found)
    ground.engine.start(found.id)


def door_of(process: str) -> str:
    """
    Name the container through which clients of a process are told apart, if there is one.
    """
    return f"door/{hashlib.sha256(process.encode()).hexdigest()[:8]}"


def remove_container(ground: ComposeGround, process: str) -> None:
    """
    Remove a container, if it is there.
    """
    found = ground.containers.find(process)
    if found is not None:
        ground.engine.remove("container", found.id)


def copy_code(source: Path, target: Path) -> Path:
    """
    Copy a service's code where a container can read it, whatever the checkout's own modes are.
    """
    shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__", ".*", "site"))
    for path in (target, *target.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    return target
