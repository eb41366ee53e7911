"""
Owns the conversation with the Docker Engine: what of ours is there, started, signalled, told and removed.

Everything is found by our labels. Nothing without them is ever changed.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock
from typing import Any, Literal

import docker
import requests
from docker.errors import APIError, DockerException, NotFound

from playbook.errors import StackError
from playbook.stack.compose.labels import PROCESS, STACK

__all__ = ["Container", "Endpoint", "Engine", "Kind"]

Kind = Literal["container", "network", "volume"]
_OLDEST_API = (1, 41)
_LIMIT_S = 120
_PATIENCE_S = 3600
# Engines before 23 miscount who is on a network when several come or go at once; one counted too many never goes away.
_COMING_OR_GOING = Lock()


@dataclass(frozen=True, slots=True)
class Container:
    """
    One container of ours: `state` in the engine's words (created, running, paused, restarting, exited, dead).
    """

    id: str
    process: str
    state: str
    health: str
    ports: Mapping[int, int]

    @property
    def running(self) -> bool:
        """A frozen one runs; one that the engine starts over and over does not."""
        return self.state in {"running", "paused"}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """
    What a container is on a network: its names, and its address where that is fixed.
    """

    names: tuple[str, ...]
    address: str | None


class Engine:
    """
    One Docker Engine. Each request raises StackError, in words, when it is refused.
    """

    def __init__(self, api: docker.APIClient, patient: docker.APIClient) -> None:
        self.api = api
        self.patient = patient
        """For commands in containers, which may take longer than any answer of the engine's own."""

    @classmethod
    def open(cls) -> Engine:
        """
        Find the engine that DOCKER_HOST or the default socket leads to. Raises StackError when none answers.
        """
        try:
            client = docker.from_env(timeout=_LIMIT_S, max_pool_size=32)
            patient = docker.from_env(timeout=_PATIENCE_S)
            version = str(client.api.version()["ApiVersion"])
        except (DockerException, requests.RequestException) as error:
            raise _silent(error) from error
        if tuple(map(int, version.split("."))) < _OLDEST_API:
            raise StackError(f"The Docker Engine is too old (API {version})", hint="Install version 20.10 or later.")
        return cls(client.api, patient.api)

    @property
    def version(self) -> str:
        """The engine's version."""
        with _told("tell its version"):
            return str(self.api.version()["Version"])

    def containers(self, stack: str, process: str | None = None) -> tuple[Container, ...]:
        """
        List a stack's containers, ended ones too. Read-only.
        """
        labels = [f"{STACK}={stack}", *([] if process is None else [f"{PROCESS}={process}"])]
        with _told("list containers"):
            return tuple(_container(row) for row in self.api.containers(all=True, filters={"label": labels}))

    def container(self, stack: str, process: str) -> Container | None:
        """
        Find the container of a process; None when there is none. Read-only.
        """
        found = self.containers(stack, process)
        return found[0] if found else None

    def inspect(self, container: str) -> Mapping[str, Any]:
        """
        Read all that the engine knows of a container. Read-only.
        """
        with _told("inspect a container"):
            known: Mapping[str, Any] = self.api.inspect_container(container)
            return known

    def start(self, container: str) -> None:
        """
        Start a container that was made or has ended.
        """
        with _told("start a container"), _COMING_OR_GOING:
            self.api.start(container)

    def signal(self, container: str, number: int) -> None:
        """
        Signal a container's first process; nothing when it has ended.
        """
        with _told("signal a container", ignore=(404, 409)):
            self.api.kill(container, signal=number)

    def halt(self, container: str) -> None:
        """
        Kill a container, and let the engine not start it again.
        """
        with _told("stop a container", ignore=(404,)), _COMING_OR_GOING:
            self.api.stop(container, timeout=0)

    def freeze(self, container: str) -> None:
        """
        Freeze all processes of a container.
        """
        with _told("pause a container", ignore=(409,)):
            self.api.pause(container)

    def thaw(self, container: str) -> None:
        """
        Let a container's processes go on.
        """
        with _told("unpause a container", ignore=(404, 409)):
            self.api.unpause(container)

    def logs(
        self, container: str, *, since: float | None = None, tail: int | None = None, errors: bool | None = None
    ) -> str:
        """
        Read what a container wrote: all, or with `errors` only what went to stderr (False: to stdout). Read-only.
        """
        with _told("read logs", ignore=(404,)):
            raw = self.api.logs(
                container,
                stdout=errors is not True,
                stderr=errors is not False,
                since=since,
                tail="all" if tail is None else tail,
            )
            return bytes(raw).decode(errors="replace")
        return ""

    def free_subnets(self, project: str, names: Sequence[str], labels: Mapping[str, str]) -> Mapping[str, str]:
        """
        Let the engine choose a subnet for each name that neither its networks nor this machine's routes use.

        They are free, not reserved: somebody else may take them before a network is made of them.
        """
        made: dict[str, str] = {}
        with _told("choose addresses"):
            try:
                for name in names:
                    throw_away = f"{project}_choice_{name}"  # newer engines refuse a name that is there already
                    made[name] = str(self.api.create_network(throw_away, internal=True, labels=dict(labels))["Id"])
                return {n: str(self.api.inspect_network(one)["IPAM"]["Config"][0]["Subnet"]) for n, one in made.items()}
            finally:
                for one in made.values():
                    self.api.remove_network(one)

    def gateway(self, network: str) -> str:
        """
        Say which address this machine has on a network. Read-only.
        """
        with _told("inspect a network"):
            return str(self.api.inspect_network(network)["IPAM"]["Config"][0]["Gateway"])

    def endpoint(self, container: str, network: str) -> Endpoint:
        """
        Say which names and which address a container has on a network. Read-only.
        """
        seen = self.inspect(container)["NetworkSettings"]["Networks"][network]
        fixed = (seen["IPAMConfig"] or {}).get("IPv4Address")
        return Endpoint(tuple(seen["Aliases"] or ()), fixed)

    def disconnect(self, container: str, network: str) -> None:
        """
        Cut a container off from a network.
        """
        with _told("disconnect a container"), _COMING_OR_GOING:
            self.api.disconnect_container_from_network(container, network, force=True)

    def connect(self, container: str, network: str, endpoint: Endpoint) -> None:
        """
        Connect a container to a network again, as it was there before.
        """
        with _told("connect a container", ignore=(403,)), _COMING_OR_GOING:
            self.api.connect_container_to_network(
                container, network, aliases=list(endpoint.names), ipv4_address=endpoint.address
            )

    def objects(self, labels: Sequence[str]) -> dict[Kind, dict[str, str]]:
        """
        List whatever carries these labels, by kind: id → name. Read-only.
        """
        wanted = {"label": list(labels)}
        with _told("list what is ours"):
            containers = self.api.containers(all=True, filters=wanted)
            networks = self.api.networks(filters=wanted)
            volumes = self.api.volumes(filters=wanted)["Volumes"] or []
        return {
            "container": {row["Id"]: row["Names"][0].lstrip("/") for row in containers if row["Names"]},
            "network": {row["Id"]: row["Name"] for row in networks},
            "volume": {row["Name"]: row["Name"] for row in volumes},
        }

    def stacks(self, labels: Sequence[str]) -> list[dict[str, str]]:
        """
        List the labels of whatever of ours carries these labels too. Read-only.
        """
        wanted = {"label": [STACK, *labels]}
        with _told("list what is ours"):
            containers = self.api.containers(all=True, filters=wanted)
            networks = self.api.networks(filters=wanted)
            volumes = self.api.volumes(filters=wanted)["Volumes"] or []
        return [dict(row["Labels"]) for row in (*containers, *networks, *volumes)]

    def remove(self, kind: Kind, identity: str) -> None:
        """
        Remove one object, with force; nothing when it is gone already, or is still in use by what is just going.
        """
        act: dict[Kind, Callable[[str], object]] = {
            "container": lambda one: self.api.remove_container(one, force=True, v=True),
            "network": self.api.remove_network,
            "volume": lambda one: self.api.remove_volume(one, force=True),
        }
        in_use = (403, 409)  # a network says 403, the others 409
        with _told(f"remove a {kind}", ignore=(404, *in_use)), _COMING_OR_GOING:
            act[kind](identity)


def _container(row: Mapping[str, Any]) -> Container:
    status = str(row.get("Status", ""))
    health = next((word for word in ("unhealthy", "healthy", "starting") if word in status), "")
    ports = {
        int(port["PrivatePort"]): int(port["PublicPort"])
        for port in row.get("Ports") or ()
        if port.get("PublicPort") and port.get("IP") == "127.0.0.1"
    }
    return Container(str(row["Id"]), str(row["Labels"].get(PROCESS, "")), str(row["State"]), health, ports)


@contextmanager
def _told(what: str, *, ignore: tuple[int, ...] = ()) -> Iterator[None]:
    """
    Turn the engine's refusals into our words; those with a status in `ignore` are no refusals.
    """
    try:
        yield
    except APIError as error:
        status = 404 if isinstance(error, NotFound) else error.status_code
        if status not in ignore:
            raise StackError(f"The engine refused to {what}: {error.explanation or error}", hint="See it.") from error
    except (DockerException, requests.RequestException) as error:
        raise _silent(error) from error


def _silent(error: Exception) -> StackError:
    text = str(error)
    where = os.environ.get("DOCKER_HOST", "the default socket")
    if "Permission denied" in text or "PermissionError" in text:
        return StackError(
            "The Docker Engine's socket may not be used by this account",
            hint="Join the group `docker`, or use --stack local.",
        )
    return StackError(
        f"No Docker Engine answers on {where}: {text.splitlines()[0][:200]}",
        hint="Start it (on Debian, as root: env/engine/start), or use --stack local.",
    )
