"""
Owns reading somebody's Compose project, as `docker compose config` resolves it. It changes nothing.

Only what decides about a disposable twin is kept; values of the environment stay in memory.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError, field_validator

from playbook.errors import InputError

__all__ = ["Definition", "MountSeen", "PortSeen", "ProjectSeen", "ServiceSeen", "read_project"]

_LIMIT_S = 60


class _Seen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class PortSeen(_Seen):
    """
    One port: inside, and where it is published.
    """

    target: int
    published: str | None = None
    host_ip: str | None = None
    protocol: str = "tcp"


class MountSeen(_Seen):
    """
    One mount: of a folder of the host (bind), of a volume, or tmpfs.
    """

    type: str
    source: str | None = None
    target: str
    read_only: bool = False


class ServiceSeen(_Seen):
    """
    One service.
    """

    image: str = ""
    labels: dict[str, str] = {}
    build: JsonValue = None
    environment: dict[str, str | None] = {}
    command: tuple[str, ...] = ()
    ports: tuple[PortSeen, ...] = ()
    expose: tuple[str, ...] = ()
    volumes: tuple[MountSeen, ...] = ()
    networks: dict[str, JsonValue] = {}
    depends_on: dict[str, JsonValue] = {}
    container_name: str | None = None
    network_mode: str | None = None
    privileged: bool = False
    pid: str | None = None
    ipc: str | None = None
    uts: str | None = None
    userns_mode: str | None = None
    cgroup_parent: str | None = None
    cap_add: tuple[str, ...] = ()
    devices: tuple[JsonValue, ...] = ()
    security_opt: tuple[str, ...] = ()
    external_links: tuple[str, ...] = ()
    extra_hosts: tuple[str, ...] = ()
    volumes_from: tuple[str, ...] = ()
    logging: dict[str, JsonValue] = {}

    @field_validator("environment", "labels", "networks", "depends_on", "logging", mode="before")
    @classmethod
    def _none_is_empty(cls, value: object) -> object:
        return {} if value is None else value

    @field_validator("command", mode="before")
    @classmethod
    def _none_is_none(cls, value: object) -> object:
        return () if value is None else value

    @property
    def inner_ports(self) -> frozenset[int]:
        """Every port that it names as its own."""
        exposed = {int(one.split("/")[0]) for one in self.expose if one.split("/")[0].isdigit()}
        return frozenset({port.target for port in self.ports} | exposed)


class Definition(_Seen):
    """
    A network, volume, secret or config of the project's top level.
    """

    name: str | None = None
    external: bool = False
    file: str | None = None
    environment: str | None = None
    driver: str | None = None
    driver_opts: dict[str, str] = {}
    ipam: dict[str, JsonValue] = {}
    content: str | None = None

    @field_validator("driver_opts", "ipam", mode="before")
    @classmethod
    def _none_is_empty(cls, value: object) -> object:
        return {} if value is None else value


class ProjectSeen(_Seen):
    """
    A whole project.
    """

    name: str
    services: dict[str, ServiceSeen]
    networks: dict[str, Definition | None] = Field(default_factory=dict)
    volumes: dict[str, Definition | None] = Field(default_factory=dict)
    secrets: dict[str, Definition | None] = Field(default_factory=dict)
    configs: dict[str, Definition | None] = Field(default_factory=dict)


def read_project(file: Path) -> ProjectSeen:
    """
    Read a project with every profile. Read-only. Raises InputError with what Compose says of it.
    """
    if not file.is_file():
        raise InputError(f"{file} is not there", hint="Name a Compose file.")
    words = ["docker", "compose", "-f", str(file), "--profile", "*", "config", "--format", "json"]
    try:
        done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=_LIMIT_S)
    except (OSError, subprocess.TimeoutExpired) as error:
        hint = "Install Compose v2; no engine is needed."
        raise InputError(f"docker compose cannot be run: {error}", hint=hint) from error
    if done.returncode != 0:
        raise InputError(f"{file}: {done.stderr.strip()[-1500:]}", hint="It must pass `docker compose config` first.")
    try:
        return ProjectSeen.model_validate(json.loads(done.stdout))
    except (ValueError, ValidationError) as error:
        raise InputError(f"{file} is not understood: {error}", hint="Please report it.") from error
