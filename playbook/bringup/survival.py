"""
Owns the checks of phase 10 on what containers survive: hanging, crashing, a database that is down or slow.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from playbook.bringup.containers import container_check, names_of
from playbook.evidence.result import Observation
from playbook.proof.check import Finding
from playbook.proof.scene import Scene
from playbook.stack.protocol import Restart

__all__ = ["CHECKS"]

_ILL_WITHIN_S = 20.0
_WELL_WITHIN_S = 30.0
_BACK_WITHIN_S = 30.0
_HELD_S = 6.5
"""Longer than a hanging health check is given; over before the next one begins, and that is the database's own."""


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
    "health.follows-database",
    title="Every health check turns unhealthy when the database stops, and healthy again",
    severity="medium",
    why="An instance that cannot work without its database, and says that it is well, keeps getting requests.",
    how="Stop the database, wait until all that stands before it is unhealthy, start it, wait for healthy.",
    remedy="Let the health check ask readiness, and readiness ask what the service cannot work without.",
    population=lambda scene: [name for name in names_of(scene) if not _is_store(name)],
)
def health_follows(scene: Scene) -> Iterator[Finding]:
    """Stop the database for a while, and watch who stands before it."""
    names = [name for name in names_of(scene) if not _is_store(name)]
    before = _all(scene, names, "healthy", _WELL_WITHIN_S)
    with scene.faults.fault(Restart("postgres")):
        ill = _all(scene, names, "unhealthy", _ILL_WITHIN_S)
    well = _all(scene, names, "healthy", _WELL_WITHIN_S)
    for name in names:
        yield Finding(
            subject=name,
            expected=["healthy", "unhealthy", "healthy"],
            actual=[before[name], ill[name], well[name]],
        )


@container_check(
    "start.in-order",
    title="Nothing starts before the database answers, however long it takes",
    severity="medium",
    why="A service that starts before its database crashes, or serves errors, whenever the database is slow to start.",
    how=f"Stop the state, start it, let the database hang for {_HELD_S} s once it runs; see when the rest starts.",
    remedy="depends_on with condition: service_healthy, and a health check that asks the database a question.",
    population=lambda scene: [name for name in scene.containers.described() if not _is_store(name)],
)
def starts_in_order(scene: Scene) -> Iterator[Finding]:
    """Start the state once more with a slow database."""
    begun = scene.containers.start_held("postgres", _HELD_S)
    ready = begun["postgres"].healthy
    for name, one in begun.items():
        if _is_store(name):
            continue
        waited = ready is not None and one.started >= ready
        yield Finding(
            subject=name,
            expected=["after the database was healthy", "healthy"],
            actual=["after the database was healthy" if waited else "before", one.health],
            observations=(
                Observation(role="engine", request="database healthy", value=ready.isoformat() if ready else "never"),
                Observation(role="engine", request=f"{name} started", value=one.started.isoformat()),
            ),
        )


def _is_store(name: str) -> bool:
    return name.partition("-")[0] in {"postgres", "redis"}


def _all(scene: Scene, names: Sequence[str], wanted: str, limit_s: float) -> Mapping[str, str]:
    with ThreadPoolExecutor(max(1, len(names))) as pool:
        said = pool.map(lambda name: _wait(lambda: scene.containers.health(name), wanted, limit_s), names)
        return dict(zip(names, said, strict=True))


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
        limit_s = _WELL_WITHIN_S if again == "runs again" else 0.0
        well = _wait(lambda: scene.containers.health(name), "healthy", limit_s)
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


CHECKS = (restarted, health_fails, health_follows, starts_in_order)
