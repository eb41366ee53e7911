"""
Owns one database of a stack of containers: as checks see it from outside, and as the service sees it from inside.
"""

from __future__ import annotations

from playbook.postgres.role import Role
from playbook.stack.compose.ground import PORTS, inner_dsn
from playbook.stack.database import LocalDatabase

__all__ = ["ComposeDatabase", "server_host"]


def server_host(server: str) -> str:
    """
    Name a server as its state's network knows it: the state's own is `postgres`, a spare one has its own name.
    """
    return server if server.startswith("spare-") else "postgres"


class ComposeDatabase(LocalDatabase):
    """
    A database on the server of one state.
    """

    def service_dsn(self, pooler_port: int | None) -> str:
        """
        Spell the connection string that the service itself is given, of names inside of its network.
        """
        host, port = ("pooler", pooler_port) if pooler_port else (server_host(self._state), PORTS["postgres"])
        return inner_dsn(self._ground, self._app_role(), host, port, self._name)

    def owner_dsn(self) -> str:
        """
        Spell the connection string that the service is given for its schema.
        """
        return self._inner("owner")

    def _inner(self, role: Role) -> str:
        return inner_dsn(self._ground, role, server_host(self._state), PORTS["postgres"], self._name)
