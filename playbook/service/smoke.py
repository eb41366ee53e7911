"""
Owns the smoke test: does the service still do its work at all? It must hold no question about hardening.
"""

from __future__ import annotations

from playbook.errors import PlaybookError
from playbook.proof.scene import Scene
from playbook.service.client import Client
from playbook.service.sign_in import sign_in

__all__ = ["smoke"]


def smoke(scene: Scene) -> str | None:
    """
    Log in as one user and send the target's smoke requests; return what broke, or None. Read-only.

    A sabotage that turns this red is void: it broke the service, and every check turns red on a broken one.
    """
    target = scene.target
    if target.service is None or target.api is None or target.api.login is None:
        return None
    try:
        token = sign_in(scene)
    except PlaybookError as err:
        return err.message
    with Client(scene.endpoints.url("app"), token=token) as client:
        for request in target.service.smoke:
            answer = client.request(request.method, request.path)
            if answer.status != request.status:
                return f"{request.method} {request.path} answered {answer.status}, not {request.status}"
    return None
