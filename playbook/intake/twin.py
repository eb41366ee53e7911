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
from playbook.intake.images import own_image, own_images
from playbook.intake.mounts import own_mounts
from playbook.intake.networks import own_definitions, own_networks
from playbook.intake.outward import inner_hosts, is_secret_address, leads_outward
from playbook.intake.override import RESET, Override, Value
from playbook.intake.project import Definition, PortSeen, ProjectSeen, ServiceSeen
from playbook.intake.secrets_of import Replacements, find_secrets, settings_of
from playbook.stack.compose.labels import NAME, STACK

__all__ = ["Twin", "derive_twin"]

_HOST = {"pid": "pid", "ipc": "ipc", "uts": "uts", "userns_mode": "userns_mode", "cgroup_parent": "cgroup_parent"}
_LISTS = ("cap_add", "devices", "external_links", "volumes_from")
_ROUTES = "traefik."
_OWN_LOGS = {"", "json-file", "local", "none"}


@dataclass(slots=True)
class Twin:
    """
    The override as data, what it changes and leaves in words, and secret files to be written beside it.

    `volumes` are those that the original has not; `files` goes from a name to its content.
    """

    name: str
    identity: str
    override: dict[str, Value] = field(default_factory=dict)
    changes: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    volumes: list[str] = field(default_factory=list)
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
    contents = {name: one.content for name, one in project.configs.items() if one is not None and one.content}
    told: list[Mapping[str, str | None]] = [
        each for one in project.services.values() for each in (one.environment, one.labels)
    ]
    told += [each for content in contents.values() for each in settings_of(content)]
    new = Replacements(find_secrets(told))
    inner, images = inner_hosts(project), own_images(project, twin.name)
    labels: dict[str, Value] = {STACK: identity, NAME: twin.name}
    services: dict[str, Value] = {}
    for name, one in project.services.items():
        changed = _service(name, one, twin, folder.resolve(), new)
        environment = _environment(name, one, twin, new, inner)
        if environment:
            changed["environment"] = Override(dict(environment))
            changed["env_file"] = RESET
        changed |= own_image(name, one, images, twin.changes)
        services[name] = {"labels": Override({**_labels(name, one, twin, new), **labels}), **changed}
        twin.left += [f"{name}: {said}" for said in leads_outward(one, environment, inner)]
    twin.override = {"name": twin.name, "services": services}
    for kind, found in (("networks", project.networks), ("volumes", project.volumes)):
        own = own_definitions(kind, found, twin.name, labels, twin.changes)
        fresh = twin.volumes if kind == "volumes" else []
        twin.override[kind] = {**own, **{name: {"labels": dict(labels)} for name in fresh}}
    configs = {name: new.lines(content) for name, content in contents.items()}
    changed_ones = [name for name in configs if configs[name] != contents[name]]
    if changed_ones:
        twin.override["configs"] = {name: {"content": configs[name]} for name in changed_ones}
        twin.changes += [f"config {name}: secrets in its content replaced" for name in changed_ones]
    if project.secrets:
        twin.override["secrets"] = dict(_secret_files(project.secrets, twin, beside.resolve()))
    if len(new):
        twin.changes.append(
            f"{len(new)} secret values in environments, labels and configs: new ones, the same for the same"
        )
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
    if one.volumes:
        changed["volumes"] = Override([*own_mounts(name, one.volumes, folder, twin.volumes, twin.changes)])
    if one.command:
        words = [new.text(word) for word in one.command]
        if words != list(one.command):
            changed["command"] = Override([*words])
            twin.changes.append(f"{name}: a secret in its command replaced")
    changed.update(own_networks(name, one, twin.changes))
    changed.update(_host_access(name, one, twin))
    return changed


def _environment(
    name: str, one: ServiceSeen, twin: Twin, new: Replacements, inner: frozenset[str]
) -> dict[str, str | None]:
    told: dict[str, str | None] = {}
    for key, value in one.environment.items():
        if value is not None and is_secret_address(key, value, inner):
            told[key] = ""
            twin.changes.append(f"{name}: {key} emptied, whoever knows this address may write to it")
        else:
            told[key] = None if value is None else new.setting(key, value)
    return told


def _labels(name: str, one: ServiceSeen, twin: Twin, new: Replacements) -> dict[str, Value]:
    """
    Drop the routes: a Traefik that watches the same engine would send the original's callers to the twin.
    """
    kept = {key: new.setting(key, value) for key, value in one.labels.items() if not key.lower().startswith(_ROUTES)}
    if len(kept) == len(one.labels):
        return dict(kept)
    twin.changes.append(f"{name}: labels {_ROUTES}* dropped, and {_ROUTES}enable is false")
    return {**kept, f"{_ROUTES}enable": "false"}


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


def _secret_files(found: Mapping[str, Definition | None], twin: Twin, beside: Path) -> Iterator[tuple[str, Value]]:
    for name in found:
        twin.files[name] = secrets.token_hex(16)
        twin.changes.append(f"secret {name}: a new value, in a file of the twin's own")
        yield name, {"file": str(beside / f"{twin.name}.secrets" / name), "external": RESET, "environment": RESET}
