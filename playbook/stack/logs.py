"""
Owns what the app of one state, or of a throw-away copy, wrote to its log.
"""

from __future__ import annotations

from playbook.errors import Unavailable
from playbook.stack.ensemble import Ensemble
from playbook.stack.ground import Ground

__all__ = ["LocalLogs"]


class LocalLogs:
    """
    The logs of an ensemble's instances.
    """

    def __init__(self, ground: Ground, ensemble: Ensemble) -> None:
        self._ground = ground
        self._ensemble = ensemble

    def read(self, service: str) -> str:
        """
        Read the log of all instances of the app. Read-only. Raises Unavailable for another service.
        """
        if service != "app":
            raise Unavailable(f"The log of {service} is not shown here", hint="There is: app.")
        logs = [self._ground.log(app.process) for app in self._ensemble.apps]
        return "".join(log.read_text(encoding="utf-8", errors="replace") for log in logs if log.is_file())
