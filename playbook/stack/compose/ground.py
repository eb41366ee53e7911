"""
Owns what all views of one stack of containers share: its engine, its networks, where its services are reached.
"""

from __future__ import annotations

import ipaddress
import os
import secrets
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from playbook.errors import StackError
from playbook.postgres.parts import Parts
from playbook.postgres.role import Role
from playbook.stack.compose.control import ContainerControl
from playbook.stack.compose.engine import Engine
from playbook.stack.ground import Ground
from playbook.stack.ports import KeptPort
from playbook.stack.record import ComposePart

__all__ = ["FIXED", "PORTS", "ComposeGround", "ImageParts", "inner_dsn"]

PORTS: Mapping[str, int] = {"postgres": 5432, "redis": 6379, "app": 8000, "proxy": 8080, "pooler": 6432}
"""Where a service listens inside of its container."""
_TAIL_LINES = 25
# Whoever is started again must be found where it was: a name service's answers are kept (PgBouncer's library: 600 s).
FIXED = ("postgres", "redis", "pooler", "app", "app-1", "proxy")
_FIRST_ADDRESS = 10


class ImageParts(Parts):
    """
    PostgreSQL's programs as they lie in the image.
    """

    def program(self, name: str) -> Path:
        """
        Spell where a program lies.
        """
        return self.bin_dir / name


@dataclass(frozen=True, slots=True)
class ComposeGround(Ground):
    """
    The ground of a stack of containers.
    """

    engine: Engine
    containers: ContainerControl = field(init=False)

    def __post_init__(self) -> None:
        Ground.__post_init__(self)
        control = ContainerControl(self.folder, self.engine, lambda: self.record().id)
        object.__setattr__(self, "control", control)
        object.__setattr__(self, "containers", control)

    def part(self) -> ComposePart:
        """
        Read what the record says of containers. Raises StackError for a stack of processes.
        """
        part = self.record().compose
        if part is None:
            raise StackError(f"{self.folder.name} is no stack of containers", hint="See playbook ps.")
        return part

    def parts(self) -> Parts:
        """
        Where PostgreSQL's programs are in the image.
        """
        record = self.record()
        return ImageParts(record.bin_dir, record.origin, record.server_version)

    def network(self, state: str) -> str:
        """
        Name the internal network of a state, or `edge`, which only carries published ports.
        """
        return f"{self.part().project}_{state}"

    def address(self, state: str, service: str) -> str:
        """
        Say which fixed address a service has in its state's network.
        """
        subnet = ipaddress.ip_network(self.part().subnets[state])
        return str(subnet[_FIRST_ADDRESS + FIXED.index(service)])

    def dynamic_range(self, state: str) -> str:
        """
        Say which half of a state's addresses is for containers that come and go.
        """
        return str(list(ipaddress.ip_network(self.part().subnets[state]).subnets())[1])

    def user(self) -> str:
        """
        Spell the account that everything runs as: uid:gid.
        """
        record = self.record()
        return f"{record.server_uid or os.getuid()}:{record.server_gid or os.getgid()}"

    def port(self, state: str, service: str) -> KeptPort:
        """
        Where a state's service is published now.
        """
        return self.published(f"{state}/{service}", service, recorded=(state, service))

    def published(self, process: str, service: str, *, recorded: tuple[str, str] | None = None) -> KeptPort:
        """
        Where a container is published now; the engine chooses anew at each of its starts.
        """
        return _PublishedPort(self, process, PORTS[service.split("-", maxsplit=1)[0]], recorded)

    def server_port(self, state: str) -> int:
        """
        Say on which loopback port a state's server is reached; while it is down, the last one.
        """
        live = self.port(state, "postgres").number()
        return live or Ground.server_port(self, state)

    def secret(self, process: str) -> Path:
        """
        Where a container's settings lie that `docker inspect` shall not show.
        """
        return self.folder / "secrets" / process.replace("/", "-")

    def write_secret(self, process: str, text: str) -> Path:
        """
        Write such a file: readable by any account, in a folder that only ours may enter.

        Instances that start at once may write the same one.
        """
        path = self.secret(process)
        draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        draft.write_text(text, encoding="utf-8")
        draft.chmod(0o444)
        draft.replace(path)
        return path

    def write_settings(self, process: str, settings: Mapping[str, str]) -> Path:
        """
        Write what `with-settings` reads in the app's image.
        """
        return self.write_secret(process, "".join(f"{name}={shlex.quote(value)}\n" for name, value in settings.items()))

    def tail(self, process: str, *, lines: int = _TAIL_LINES) -> str:
        """
        The last lines of a container's log, for an error's text. Read-only.
        """
        found = self.containers.find(process)
        text = "" if found is None else self.engine.logs(found.id, tail=lines)
        return text.strip() or Ground.tail(self, process, lines=lines)

    def keep_log(self, process: str) -> None:
        """
        Append a container's log to the stack's own, before the container is removed.
        """
        found = self.containers.find(process)
        if found is not None:
            with self.log(process).open("a", encoding="utf-8") as file:
                file.write(self.engine.logs(found.id))


def inner_dsn(ground: Ground, role: Role, host: str, port: int, database: str) -> str:
    """
    Spell a connection string as it holds inside of the stack's networks.
    """
    record = ground.record()
    account = cast("str", getattr(record.accounts, role))
    return f"postgresql://{account}:{record.secrets[f'{role}_password']}@{host}:{port}/{database}"


@dataclass(frozen=True, slots=True)
class _PublishedPort:
    ground: ComposeGround
    process: str
    inner: int
    recorded: tuple[str, str] | None

    def number(self) -> int:
        found = self.ground.containers.find(self.process)
        return 0 if found is None or not found.running else found.ports.get(self.inner, 0)

    def keep(self, number: int) -> None:
        if self.recorded is not None:
            self.ground.file.keep_port(*self.recorded, number)
