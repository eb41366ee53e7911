"""
Owns deriving a disposable twin from a Compose project: an override file, and a sentence for each thing that it changes.

The original is never touched: the twin is another project, with volumes, networks, ports and secrets of its own.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from playbook.errors import InputError
from playbook.intake.override import RESET, Override, Value
from playbook.intake.project import Definition, MountSeen, PortSeen, ProjectSeen, ServiceSeen
from playbook.intake.secrets_of import Replacements, find_secrets
from playbook.stack.compose.engine import NAME, STACK

__all__ = ["Twin", "derive_twin"]

_NEVER_MOUNTED = ("/", "/etc", "/var/run", "/run", "/proc", "/sys", "/dev", "/root", "/home", "/var/lib/docker")
_HOST = {"pid": "pid", "ipc": "ipc", "uts": "uts", "userns_mode": "userns_mode", "cgroup_parent": "cgroup_parent"}
_LISTS = ("cap_add", "devices", "external_links", "volumes_from")
_OWN_LOGS = {"", "json-file", "local", "none"}


@dataclass(slots=True)
class Twin:
    """
    The override as data, what it changes in words, and secret files to be written beside it (name → content).
    """

    name: str
    identity: str
    override: dict[str, Value] = field(default_factory=dict)
    changes: list[str] = field(default_factory=list)
    files: dict[str, str] = field(default_factory=dict)


def derive_twin(project: ProjectSeen, folder: Path, beside: Path) -> Twin:
    """
    Derive a twin of a project whose file lies in `folder`; its secrets lie in `beside`. Read-only.

    Raises InputError for a project without services.
    """
    if not project.services:
        raise InputError(f"The project {project.name} has no services", hint="Name a Compose file that has some.")
    identity = secrets.token_hex(12)
    twin = Twin(f"twin-{project.name}"[:40], identity)
    twin.changes.append(f"project {project.name} → {twin.name}: own containers, networks and volumes")
    new = Replacements(find_secrets(one.environment for one in project.services.values()))
    labels: dict[str, Value] = {STACK: identity, NAME: twin.name}
    services: dict[str, Value] = {}
    for name, one in project.services.items():
        changed = _service(name, one, twin, folder.resolve(), new)
        services[name] = {"labels": dict(labels), **changed}
    twin.override = {"name": twin.name, "services": services}
    for kind, found in (("networks", project.networks), ("volumes", project.volumes)):
        twin.override[kind] = {**_definitions(kind, found, twin, labels), **_fresh(kind, twin, labels)}
    if project.secrets:
        twin.override["secrets"] = dict(_secret_files(project.secrets, twin, beside.resolve()))
    if len(new):
        twin.changes.append(f"{len(new)} secret values in environments: new ones, the same for the same")
    return twin


def _service(name: str, one: ServiceSeen, twin: Twin, folder: Path, new: Replacements) -> dict[str, Value]:
    changed: dict[str, Value] = {}
    if one.container_name is not None:
        changed["container_name"] = RESET
        twin.changes.append(f"{name}: container_name {one.container_name} dropped, two projects could not both have it")
    if one.ports:
        changed["ports"] = Override([_port(port) for port in one.ports])
        said = ", ".join(f"{port.published or 'any'}→{port.target}" for port in one.ports)
        twin.changes.append(f"{name}: ports {said} only on 127.0.0.1, each on a free one")
    if one.environment:
        told = {key: None if value is None else new.setting(key, value) for key, value in one.environment.items()}
        changed["environment"] = Override(dict(told))
        changed["env_file"] = RESET
    if one.volumes:
        changed["volumes"] = Override([mount for seen in one.volumes for mount in _mount(name, seen, twin, folder)])
    if one.command:
        words = [new.text(word) for word in one.command]
        if words != list(one.command):
            changed["command"] = Override([*words])
            twin.changes.append(f"{name}: a secret in its command replaced")
    changed.update(_host_access(name, one, twin))
    return changed


def _host_access(name: str, one: ServiceSeen, twin: Twin) -> dict[str, Value]:
    changed: dict[str, Value] = {}
    if one.privileged:
        changed["privileged"] = RESET
        twin.changes.append(f"{name}: privileged taken away")
    if one.network_mode is not None and not one.network_mode.startswith("service:"):
        changed["network_mode"] = RESET
        changed["networks"] = {"default": None}
        twin.changes.append(f"{name}: network_mode {one.network_mode} → the project's own network")
    for key in _HOST:
        value = getattr(one, key)
        if value:
            changed[key] = RESET
            twin.changes.append(f"{name}: {key} {value} dropped")
    for key in _LISTS:
        if getattr(one, key):
            changed[key] = RESET
            twin.changes.append(f"{name}: {key} dropped")
    if any("unconfined" in each for each in one.security_opt):
        changed["security_opt"] = RESET
        twin.changes.append(f"{name}: security_opt {', '.join(one.security_opt)} dropped")
    if any("host-gateway" in each for each in one.extra_hosts):
        changed["extra_hosts"] = RESET
        twin.changes.append(f"{name}: extra_hosts dropped, which lead to this machine")
    driver = str(one.logging.get("driver") or "")
    if driver not in _OWN_LOGS:
        changed["logging"] = Override({"driver": "json-file", "options": {"max-size": "10m", "max-file": "2"}})
        twin.changes.append(f"{name}: log driver {driver} → json-file, bounded")
    return changed


def _port(port: PortSeen) -> Value:
    protocol = "" if port.protocol == "tcp" else f"/{port.protocol}"
    return f"127.0.0.1::{port.target}{protocol}"


def _mount(name: str, seen: MountSeen, twin: Twin, folder: Path) -> Iterator[Value]:
    """
    Keep volumes (they are the twin's own), let the project's files be read, and drop whatever else is of the host.
    """
    if seen.type != "bind" or seen.source is None:
        kept: dict[str, Value] = {"type": seen.type, "target": seen.target}
        if seen.source is not None:
            kept["source"] = seen.source
        if seen.read_only:
            kept["read_only"] = True
        yield kept
        return
    source = Path(seen.source)
    if source.suffix == ".sock" or str(source) in _NEVER_MOUNTED or not source.resolve().is_relative_to(folder):
        twin.changes.append(f"{name}: {seen.source} is not mounted (it is this machine's, not the project's)")
        return
    if seen.read_only or source.is_file() or _holds_something(source):
        if not seen.read_only:
            twin.changes.append(f"{name}: {seen.source} is mounted read-only")
        yield {"type": "bind", "source": seen.source, "target": seen.target, "read_only": True}
        return
    volume = f"twin-{name}-{seen.target.strip('/').replace('/', '-')}"
    twin.files.setdefault(f"volume:{volume}", "")
    twin.changes.append(f"{name}: {seen.source} → an empty volume of its own at {seen.target}")
    yield {"type": "volume", "source": volume, "target": seen.target}


def _holds_something(folder: Path) -> bool:
    """
    Tell code and the like from a folder that only waits for data; files like .keep do not count.
    """
    return folder.is_dir() and any(not one.name.startswith(".") for one in folder.iterdir())


def _definitions(
    kind: str, found: Mapping[str, Definition | None], twin: Twin, labels: Mapping[str, Value]
) -> dict[str, Value]:
    changed: dict[str, Value] = {}
    for name, one in found.items():
        what: dict[str, Value] = {"labels": dict(labels)}
        if one is not None and one.external:
            what |= {"external": RESET, "name": RESET}
            twin.changes.append(f"{kind[:-1]} {name}: external, now the twin's own")
        elif one is not None and one.name:
            what["name"] = f"{twin.name}_{name}"
        if one is not None and one.driver_opts and kind == "volumes":
            what["driver_opts"] = RESET
            twin.changes.append(f"volume {name}: driver options dropped, they lead to this machine or beyond it")
        changed[name] = what
    return changed


def _fresh(kind: str, twin: Twin, labels: Mapping[str, Value]) -> dict[str, Value]:
    if kind != "volumes":
        return {}
    marks = [name for name in twin.files if name.startswith("volume:")]
    for mark in marks:
        del twin.files[mark]
    return {mark.removeprefix("volume:"): {"labels": dict(labels)} for mark in marks}


def _secret_files(found: Mapping[str, Definition | None], twin: Twin, beside: Path) -> Iterator[tuple[str, Value]]:
    for name in found:
        twin.files[name] = secrets.token_hex(16)
        twin.changes.append(f"secret {name}: a new value, in a file of the twin's own")
        yield name, {"file": str(beside / f"{twin.name}.secrets" / name), "external": RESET, "environment": RESET}
