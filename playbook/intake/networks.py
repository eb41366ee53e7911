"""
Owns making a project's networks and volumes the twin's own: no other's, no fixed name, and no fixed address.
"""

from __future__ import annotations

from collections.abc import Mapping

from playbook.intake.override import RESET, Override, Value
from playbook.intake.project import Definition, ServiceSeen

__all__ = ["own_definitions", "own_networks"]

_ADDRESSES = ("ipv4_address", "ipv6_address", "link_local_ips")
_BRIDGE = "com.docker.network.bridge.name"


def own_definitions(
    kind: str, found: Mapping[str, Definition | None], twin: str, labels: Mapping[str, Value], changes: list[str]
) -> dict[str, Value]:
    """
    Give the networks or volumes (`kind`) to the project `twin`; each change is said in `changes`.
    """
    changed: dict[str, Value] = {}
    for name, one in found.items():
        what: dict[str, Value] = {"labels": dict(labels)}
        if one is not None and one.external:
            what |= {"external": RESET, "name": RESET}
            changes.append(f"{kind[:-1]} {name}: external, now the twin's own")
        elif one is not None and one.name:
            what["name"] = f"{twin}_{name}"
        if one is not None and one.driver_opts and kind == "volumes":
            what["driver_opts"] = RESET
            changes.append(f"volume {name}: driver options dropped, they lead to this machine or beyond it")
        if one is not None and kind == "networks":
            what |= _own_addresses(name, one, changes)
        changed[name] = what
    return changed


def _own_addresses(name: str, one: Definition, changes: list[str]) -> dict[str, Value]:
    """
    Two networks of one engine can share neither a range of addresses ("Pool overlaps") nor a bridge.
    """
    changed: dict[str, Value] = {}
    if one.ipam:
        changed["ipam"] = RESET
        changes.append(f"network {name}: fixed addresses (ipam) dropped, the engine chooses others")
    if _BRIDGE in one.driver_opts:
        changed["driver_opts"] = RESET
        changes.append(f"network {name}: driver options dropped, two networks could not both have its bridge")
    return changed


def own_networks(name: str, one: ServiceSeen, changes: list[str]) -> dict[str, Value]:
    """
    Drop the fixed addresses of the service `name`; aliases and the like stay.
    """
    kept: dict[str, Value] = {}
    dropped: list[str] = []
    for network, joined in one.networks.items():
        if not isinstance(joined, dict):
            kept[network] = joined
            continue
        dropped += [f"{key} {joined[key]}" for key in _ADDRESSES if joined.get(key)]
        kept[network] = {key: value for key, value in joined.items() if key not in _ADDRESSES} or None
    if not dropped:
        return {}
    changes.append(f"{name}: {', '.join(dropped)} dropped, the engine chooses another")
    return {"networks": Override(kept)}
