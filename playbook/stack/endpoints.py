"""
Owns the addresses of a local stack's services.
"""

from __future__ import annotations

from playbook.stack.ensemble import Ensemble

__all__ = ["SERVICES", "LocalEndpoints"]

SERVICES = ("postgres", "redis", "app", "proxy", "pooler")


class LocalEndpoints:
    """
    Where the services of one state or scratch listen.
    """

    def __init__(self, ensemble: Ensemble) -> None:
        self._ensemble = ensemble

    def url(self, service: str, instance: int | None = None) -> str:
        """
        Spell a service's address; `app` without an instance is instance 0, `proxy` is the front door.

        Raises Unavailable for a service or instance that this stack does not have.
        """
        return self._ensemble.url(service, instance)
