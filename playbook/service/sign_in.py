"""
Owns signing in as some user of the seeded data: for whoever asks the service something, whoever the user is.
"""

from __future__ import annotations

from playbook.errors import PlaybookError, Unavailable
from playbook.proof.scene import Scene
from playbook.service.actors import read_actors
from playbook.service.client import Client, login

__all__ = ["sign_in"]


def sign_in(scene: Scene) -> str:
    """
    Log in as the first user of an active tenant; return the token.

    Raises Unavailable where the target declares no login, PlaybookError when nobody can log in.
    """
    target = scene.target
    if target.api is None or target.api.login is None:
        raise Unavailable("the target declares no login", hint="Set api.login in the target.")
    actors = read_actors(scene.database, target, limit=1)
    if not actors:
        raise PlaybookError("no active tenant has a user", hint="Seed the service's data.")
    password = scene.secrets.get("seed_password", "")
    with Client(scene.endpoints.url("app")) as anonymous:
        return login(anonymous, target.api.login, tenant=actors[0].tenant, email=actors[0].email, password=password)
