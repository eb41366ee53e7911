"""
Owns the addresses of a local stack's services.
"""

from __future__ import annotations

from playbook.errors import Unavailable
from playbook.stack.apps import App
from playbook.stack.ground import Ground

__all__ = ["SERVICES", "LocalEndpoints"]

SERVICES = ("postgres", "app")


class LocalEndpoints:
    """
    Where an app and its server listen.
    """

    def __init__(self, ground: Ground, state: str, app: App) -> None:
        self._ground = ground
        self._state = state
        self._app = app

    def url(self, service: str, instance: int | None = None) -> str:
        """
        Spell a service's address. Raises Unavailable for a service or instance that this stack does not have.
        """
        if instance not in (None, 0) or service not in SERVICES:
            raise Unavailable(f"This stack has no {service} instance {instance}", hint="It has: postgres, app.")
        if service == "app":
            return f"http://127.0.0.1:{self._app.port}"
        return f"postgresql://127.0.0.1:{self._ground.record().states[self._state].port}"
