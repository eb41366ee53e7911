"""
Owns the checks of phase 10 on what a container survives: a service that hangs, a service that crashes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

from playbook.bringup.containers import container_check, names_of
from playbook.proof.check import Finding
from playbook.proof.scene import Scene

__all__ = ["CHECKS"]

_ILL_WITHIN_S = 30.0
_WELL_WITHIN_S = 30.0
_BACK_WITHIN_S = 30.0


def _each(scene: Scene, ask: Callable[[str], Finding]) -> Iterator[Finding]:
    names = names_of(scene)
    with ThreadPoolExecutor(max(1, len(names))) as pool:
        yield from pool.map(ask, names)


@container_check(
    "health.able-to-fail",
    title="Every health check turns unhealthy when the service hangs, and healthy again",
    severity="medium",
    why="A health check that cannot fail keeps a dead instance in service; one that does not recover keeps it out.",
    how="Freeze the processes of all services (not the containers), wait for unhealthy, thaw, wait for healthy.",
    remedy="Let the check ask the service its real question, with a timeout.",
)
def health_fails(scene: Scene) -> Iterator[Finding]:
    """Let each service hang for a while."""

    def ask(name: str) -> Finding:
        before = _wait(lambda: scene.containers.health(name), "healthy", _WELL_WITHIN_S)
        with scene.containers.hang(name):
            ill = _wait(lambda: scene.containers.health(name), "unhealthy", _ILL_WITHIN_S)
        well = _wait(lambda: scene.containers.health(name), "healthy", _WELL_WITHIN_S)
        return Finding(subject=name, expected=["healthy", "unhealthy", "healthy"], actual=[before, ill, well])

    yield from _each(scene, ask)


@container_check(
    "restart.after-crash",
    title="A service that crashes is started again",
    severity="medium",
    why="Out-of-memory kills and crashes come at night; without a restart policy the service stays down until morning.",
    how="Kill the processes of each service behind the engine's back; it must run anew within 30 s.",
    remedy="restart: unless-stopped (or the orchestrator's own policy).",
)
def restarted(scene: Scene) -> Iterator[Finding]:
    """Crash each service."""

    def ask(name: str) -> Finding:
        before = scene.containers.started(name)
        scene.containers.crash(name)
        end = time.monotonic() + _BACK_WITHIN_S
        while (now := scene.containers.started(name)) in {"", before} and time.monotonic() < end:
            time.sleep(0.1)
        again = "runs again" if now not in {"", before} else "ended" if not now else "was not hit"
        well = _wait(lambda: scene.containers.health(name), "healthy", _WELL_WITHIN_S)
        return Finding(subject=name, expected=["runs again", "healthy"], actual=[again, well])

    # One after another: engines miscount who is on a network when all come back at once.
    yield from map(ask, names_of(scene))


def _wait(ask: Callable[[], str], wanted: str, limit_s: float) -> str:
    """
    Ask until the wanted word comes, at most so long; return the last one.
    """
    end = time.monotonic() + limit_s
    while (said := ask()) != wanted and time.monotonic() < end:
        time.sleep(0.2)
    return said or "(none)"


CHECKS = (restarted, health_fails)
