"""
Owns reaching the limits of a scene: its declaration, its addresses, and who asks there.
"""

from __future__ import annotations

from random import SystemRandom

import redis

from playbook.errors import Unavailable
from playbook.limits.callers import Callers, Credentials, CredentialsFile
from playbook.limits.declaration import SHORTEST_SCALED_S, Declaration, read_declaration
from playbook.limits.experiments import Prober
from playbook.limits.people import SeededUsers
from playbook.proof.scene import Scene

__all__ = ["declared", "front_door", "make_prober", "open_store", "partial_strength"]

MOST_INSTANCES = 16


def declared(scene: Scene, *, scaled: bool = True) -> Declaration:
    """
    Read the declared limits, with the windows that the rehearsed service enforces. Read-only.

    Raises Unavailable when the target declares none.
    """
    section = scene.target.limits
    if section is None:
        raise Unavailable("the target declares no limits", hint="Write `limits: {file: …}` into it.")
    declaration = scene.once("limits.declaration", lambda: read_declaration(section.file))
    return declaration.scaled(section.scale) if scaled else declaration


def partial_strength(scene: Scene) -> str | None:
    """
    Say why what was seen is only a part, None when the windows are the declared ones.
    """
    scale = scene.target.limits.scale if scene.target.limits else 1.0
    if scale == 1:
        return None
    return f"windows are scaled by {scale:.3g} ({SHORTEST_SCALED_S} s at least), so that the one full first decides"


def front_door(scene: Scene) -> str:
    """
    Find where clients ask: at the proxy, and where there is none at the service.
    """
    try:
        return scene.door(scene.endpoints.url("proxy"))
    except Unavailable:
        return scene.door(scene.endpoints.url("app"))


def make_prober(scene: Scene, *, longest_wait_s: float = 75.0) -> Prober:
    """
    Make a prober of a scene.

    Addresses are drawn anew each time, not from the scene's seed: a caller must not have been counted before.
    """
    door = front_door(scene)
    callers = Callers(SystemRandom(), scene.once("limits.credentials", lambda: _credentials(scene, door)))
    return Prober(url=door, callers=callers, instances=_instances(scene), longest_wait_s=longest_wait_s)


def open_store(scene: Scene) -> redis.Redis:
    """
    Connect to the store of the counters as its administrator; a context manager.
    """
    return redis.Redis.from_url(scene.store.dsn("admin"), socket_timeout=2, socket_connect_timeout=2)


def _instances(scene: Scene) -> tuple[str, ...]:
    found: list[str] = []
    while len(found) < MOST_INSTANCES:
        try:
            found.append(scene.door(scene.endpoints.url("app", len(found))))
        except Unavailable:
            break
    return tuple(found)


def _credentials(scene: Scene, url: str) -> Credentials | None:
    file = declared(scene).credentials
    if file is not None:
        return CredentialsFile(file)
    if scene.site_database is None:
        return None
    return SeededUsers(scene, url, address=Callers(SystemRandom()).fresh_address)
