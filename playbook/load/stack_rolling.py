"""
Owns how a stack's service is restarted by turns, and which of its addresses is the one that clients use.
"""

from __future__ import annotations

import signal
from collections.abc import Callable
from dataclasses import dataclass

from playbook.proof.scene import Scene
from playbook.stack.protocol import Restart, Signal

__all__ = ["StackRolling", "front_door"]


def front_door(scene: Scene) -> str:
    """
    Spell the address that clients use: the proxy's where there is one. Read-only.
    """
    return scene.endpoints.url("proxy" if "proxy" in scene.capabilities else "app")


@dataclass(frozen=True, slots=True)
class StackRolling:
    """
    The two instances of a stack's service. Raises Unavailable where there is but one, or nothing in front of them.
    """

    scene: Scene

    def __post_init__(self) -> None:
        self.scene.need("two_instances")
        self.scene.need("proxy")

    @property
    def instances(self) -> int:
        return 2

    @property
    def ready(self) -> str:
        """
        Spell the path of readiness.
        """
        service = self.scene.target.service
        source = service.found.source if service else None
        return source.ready if source else "/health/ready"

    @property
    def live(self) -> str:
        """
        Spell the path of liveness.
        """
        service = self.scene.target.service
        source = service.found.source if service else None
        return source.live if source else "/health/live"

    def address(self, instance: int) -> str:
        """
        Spell one instance's own address, at which a closed port is seen to be closed.
        """
        return self.scene.door(self.scene.endpoints.url("app", instance))

    def restart(self, instance: int) -> None:
        """
        Stop one instance by SIGTERM, start it again, wait until it is ready.
        """
        with self.scene.faults.fault(Restart("app", instance)):
            pass

    def interrupt(self, instance: int, watch: Callable[[], object]) -> None:
        """
        Send one instance SIGINT, watch it leave, start it again, wait until it is ready.
        """
        with self.scene.faults.fault(Signal("app", signal.SIGINT, instance)):
            watch()
