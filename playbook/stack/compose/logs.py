"""
Owns what the app of one state, or of a throw-away copy, wrote to its log in containers.
"""

from __future__ import annotations

from playbook.errors import Unavailable
from playbook.stack.compose.ground import ComposeGround
from playbook.stack.ensemble import Ensemble

__all__ = ["ComposeLogs"]


class ComposeLogs:
    """
    The logs of an ensemble's instances.
    """

    def __init__(self, ground: ComposeGround, ensemble: Ensemble) -> None:
        self._ground = ground
        self._ensemble = ensemble

    def read(self, service: str) -> str:
        """
        Read the log of all instances of the app. Read-only. Raises Unavailable for another service.
        """
        if service != "app":
            raise Unavailable(f"The log of {service} is not shown here", hint="There is: app.")
        found = [self._ground.containers.find(app.process) for app in self._ensemble.apps]
        return "".join(self._ground.engine.logs(one.id) for one in found if one is not None)
