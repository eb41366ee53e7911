"""
Owns saying what a service of a Compose project is, by its image and its ports. What it cannot tell it leaves open.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from playbook.intake.project import ProjectSeen, ServiceSeen

__all__ = ["Kind", "Recognised", "recognise"]

Kind = Literal["postgres", "redis", "proxy", "app", "worker", "other"]

_IMAGES: Mapping[Kind, str] = {
    "postgres": r"postgres|postgis|timescaledb|pgvector|citus",
    "redis": r"redis|valkey|keydb|dragonfly",
    "proxy": r"nginx|haproxy|traefik|caddy|envoy|kong",
}
_PORTS: Mapping[int, Kind] = {5432: "postgres", 6379: "redis"}
_TOOLS = re.compile(r"exporter|backup|admin|commander|insight|bouncer")
_WORKS = re.compile(r"celery|worker|beat|scheduler|consumer|sidekiq|cron|queue")


@dataclass(frozen=True, slots=True)
class Recognised:
    """
    What one service seems to be, and by what it was told.
    """

    service: str
    kind: Kind
    by: str


def recognise(project: ProjectSeen) -> tuple[Recognised, ...]:
    """
    Look at every service. Read-only.
    """
    stores = {name for name, one in project.services.items() if _store(one)[0] in {"postgres", "redis"}}
    return tuple(_recognise(name, one, stores) for name, one in project.services.items())


def _recognise(name: str, one: ServiceSeen, stores: set[str]) -> Recognised:
    kind, by = _store(one)
    if kind != "other":
        return Recognised(name, kind, by)
    uses = sorted(other for other in stores if other in one.depends_on or _mentions(one, other))
    if not uses:
        return Recognised(name, "other", "neither its image nor its ports tell")
    if one.inner_ports and not _WORKS.search(name):
        return Recognised(name, "app", f"it has a port, and uses {', '.join(uses)}")
    return Recognised(name, "worker", f"it uses {', '.join(uses)}")


def _store(one: ServiceSeen) -> tuple[Kind, str]:
    image = one.image.rpartition("/")[2].split("@")[0].split(":")[0]
    if not _TOOLS.search(image):
        for kind, pattern in _IMAGES.items():
            if re.search(pattern, image):
                return kind, f"image {one.image}"
        if not one.build:
            for port, kind in _PORTS.items():
                if port in one.inner_ports:
                    return kind, f"port {port}"
    return "other", ""


def _mentions(one: ServiceSeen, other: str) -> bool:
    host = re.compile(rf"(?<![\w.-]){re.escape(other)}(?![\w-])")
    return any(value and host.search(value) for value in one.environment.values())
