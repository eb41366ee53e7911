"""
Owns saying where a service's settings lead out of its project, and which of those addresses are themselves secrets.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from playbook.intake.project import ProjectSeen, ServiceSeen

__all__ = ["inner_hosts", "is_secret_address", "leads_outward"]

_URL = re.compile(r"""[a-z][a-z0-9+.-]*://(?:[^\s/@,"']*@)?(\[[^\]]+\]|[^\s/:,?#;"'()]+)""", re.IGNORECASE)
_HOST_NAME = re.compile(r"(^|_)(HOST|HOSTNAME|SERVER|ADDR|ADDRESS|ENDPOINT|RELAY|BROKER)$", re.IGNORECASE)
_HOST = re.compile(r"([\w-]+(?:\.[\w-]+)+)(?::\d+)?")
_SECRET_ADDRESS = re.compile(r"(^|_)(DSN|WEBHOOK)(_|$)", re.IGNORECASE)
_OWN = re.compile(r"localhost|127\.[\d.]+|0\.0\.0\.0|\[::1?\]", re.IGNORECASE)


def inner_hosts(project: ProjectSeen) -> frozenset[str]:
    """
    Name every host that is a service of the project. Read-only.
    """
    found = set(project.services)
    for one in project.services.values():
        for joined in one.networks.values():
            aliases = joined.get("aliases") if isinstance(joined, dict) else None
            if isinstance(aliases, list):
                found.update(str(alias) for alias in aliases)
    return frozenset(host.lower() for host in found)


def is_secret_address(name: str, value: str, inner: frozenset[str]) -> bool:
    """
    Tell an address that whoever knows it may write to: a webhook, or the DSN of an error collector, of another host.
    """
    if not value.lower().startswith(("http://", "https://")):
        return False
    return bool(_SECRET_ADDRESS.search(name)) and bool(_outer(value, inner))


def leads_outward(one: ServiceSeen, environment: Mapping[str, str | None], inner: frozenset[str]) -> Iterator[str]:
    """
    Say each setting, word of the command and extra host that leads to another host; only the host, never the value.

    `environment` is what the twin's service is given.
    """
    for name, value in environment.items():
        if value is None:
            continue
        hosts = _outer(value, inner)
        plain = _HOST.fullmatch(value) if _HOST_NAME.search(name) else None
        if plain is not None and not _is_inner(plain[1], inner):
            hosts.append(plain[1])
        if hosts:
            yield f"{name} leads to {', '.join(hosts)}"
    hosts = [host for word in one.command for host in _outer(word, inner)]
    if hosts:
        yield f"its command leads to {', '.join(hosts)}"
    for each in one.extra_hosts:
        if "host-gateway" not in each:
            yield f"extra_hosts {each}"


def _outer(value: str, inner: frozenset[str]) -> list[str]:
    found = dict.fromkeys(match[1] for match in _URL.finditer(value))
    return [host for host in found if not _is_inner(host, inner)]


def _is_inner(host: str, inner: frozenset[str]) -> bool:
    return host.lower() in inner or bool(_OWN.fullmatch(host))
