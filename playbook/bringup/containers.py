"""
Owns the checks of phase 10 that only a stack of containers can answer: how much a service may do, and what it survives.

Each looks at every container of a state, from inside wherever that is possible, and not at how it was described.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from pydantic import JsonValue

from playbook.evidence.result import Observation
from playbook.proof.check import Check, Finding, check
from playbook.proof.scene import Scene

__all__ = ["CHECKS"]

_ILL_WITHIN_S = 30.0
_WELL_WITHIN_S = 30.0
_BACK_WITHIN_S = 30.0
_UNLIMITED_BYTES = 1 << 50
_READ_LIMITS = (
    "cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/pids.max 2>/dev/null"
    " || cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/pids/pids.max"
)


def _names(scene: Scene) -> Sequence[str]:
    return scene.containers.names()


def _field(scene: Scene, name: str, field: str) -> tuple[str, Observation]:
    said = scene.containers.run(name, ["cat", "/proc/1/status"]).stdout
    line = next((line for line in said.splitlines() if line.startswith(f"{field}:")), f"{field}: (not told)")
    value = " ".join(line.split()[1:])
    return value, Observation(role="inside", request=f"{field} in /proc/1/status", value=value)


def _each(scene: Scene, ask: Callable[[str], Finding]) -> Iterator[Finding]:
    names = _names(scene)
    with ThreadPoolExecutor(max(1, len(names))) as pool:
        yield from pool.map(ask, names)


def _container_check(slug: str, **words: str) -> Callable[[Callable[[Scene], Iterator[Finding]]], Check]:
    severity = words.pop("severity")
    return check(
        f"container.{slug}",
        phase="10",
        population=_names,
        reach="code",
        severity=severity,  # type: ignore[arg-type]
        dear=slug in {"health.able-to-fail", "restart.after-crash"},
        **words,  # type: ignore[arg-type]
    )


@_container_check(
    "user.not-root",
    title="No container runs as root",
    severity="high",
    why="Whoever breaks out of a process of root's is root: on the host too where no user namespace stands between.",
    how="Read the user of the first process inside of each container.",
    remedy="Give the image a USER, or the service a user:, by number.",
)
def not_root(scene: Scene) -> Iterator[Finding]:
    """Read who runs each container."""
    for name in _names(scene):
        value, seen = _field(scene, name, "Uid")
        yield Finding(subject=name, expected="0", operator="ne", actual=value.partition(" ")[0], observations=(seen,))


@_container_check(
    "capabilities.none",
    title="No container has a capability, or can gain one",
    severity="high",
    why="Capabilities are pieces of root's power (capabilities(7)); a service on a port above 1024 needs none.",
    how="Read the bounding set, and whether new privileges can be gained, inside of each container.",
    remedy="cap_drop: [ALL], and security_opt: [no-new-privileges:true].",
)
def no_capabilities(scene: Scene) -> Iterator[Finding]:
    """Read what each container could ever do."""
    for name in _names(scene):
        bounding, first = _field(scene, name, "CapBnd")
        gained, second = _field(scene, name, "NoNewPrivs")
        actual: dict[str, JsonValue] = {
            "bounding": bounding.strip("0") or "none",
            "new privileges": "no" if gained == "1" else "yes",
        }
        yield Finding(
            subject=name, expected={"bounding": "none", "new privileges": "no"}, actual=actual,
            observations=(first, second),
        )  # fmt: skip


@_container_check(
    "root.read-only",
    title="No container can change its own programs",
    severity="medium",
    why="What cannot be written cannot be replaced by an intruder, nor be lost when the container is made anew.",
    how="Try to make a file in the root folder of each container.",
    remedy="read_only: true, with tmpfs or volumes for what must be written.",
)
def read_only(scene: Scene) -> Iterator[Finding]:
    """Try to write where the programs are."""
    for name in _names(scene):
        said = scene.containers.run(name, ["touch", "/usr/playbook-probe"]).stderr.strip()
        yield Finding(
            subject=name,
            expected="Read-only file system",
            operator="contains",
            actual=said or "it was written",
            observations=(Observation(role="inside", request="touch /usr/playbook-probe", value=said),),
        )


@_container_check(
    "ports.loopback",
    title="No port is published beyond this machine",
    severity="high",
    why="A published port passes most host firewalls: the engine writes its own rules before them.",
    how="Read on which addresses the ports of each container are published.",
    remedy="Publish on 127.0.0.1 only, or not at all: services of one network reach each other anyway.",
)
def ports_on_loopback(scene: Scene) -> Iterator[Finding]:
    """Read where ports are published."""
    for name in _names(scene):
        published = scene.containers.published(name)
        yield Finding(subject=name, expected=["127.0.0.1"], operator="subset", actual=[*published])


@_container_check(
    "limits.set",
    title="Memory and processes of every container are limited",
    severity="medium",
    why="One service that leaks takes the whole machine down, and whatever else runs there.",
    how="Read the limits that the kernel holds, inside of each container.",
    remedy="Set mem_limit and pids_limit.",
)
def limits_set(scene: Scene) -> Iterator[Finding]:
    """Read the limits from the control group."""
    for name in _names(scene):
        words = scene.containers.run(name, ["sh", "-c", _READ_LIMITS]).stdout.split()
        limited = ["limited" if word.isdigit() and int(word) < _UNLIMITED_BYTES else "unlimited" for word in words]
        actual: dict[str, JsonValue] = {}
        actual.update(zip(("memory", "processes"), limited, strict=False))
        yield Finding(
            subject=name,
            expected={"memory": "limited", "processes": "limited"},
            actual=actual,
            observations=(Observation(role="inside", request="limits of the control group", value=" ".join(words)),),
        )


@_container_check(
    "secrets.not-shown",
    title="No secret is shown by docker inspect or an image's history",
    severity="high",
    why="Whoever may ask the engine sees a container's environment and its image's steps.",
    how="Look for each secret of the stack in all that the engine shows of each container and its image.",
    remedy="Mount secrets as files; pass build secrets by --mount=type=secret.",
)
def secrets_not_shown(scene: Scene) -> Iterator[Finding]:
    """Look for every known secret."""
    for name in _names(scene):
        shown = scene.containers.shown(name)
        found = sorted(secret for secret, value in scene.secrets.items() if len(value) > 8 and value in shown)  # noqa: PLR2004
        yield Finding(subject=name, expected=[], actual=[*found])


@_container_check(
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


@_container_check(
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

    yield from map(ask, _names(scene))  # one after another: engines miscount who is on a network when all come at once


@_container_check(
    "logs.bounded",
    title="No container's log can fill the disk",
    severity="low",
    why="The engine's default keeps every line for as long as the container lives.",
    how="Read how each container's log is kept.",
    remedy="Set max-size and max-file for json-file, or a driver that rotates.",
)
def logs_bounded(scene: Scene) -> Iterator[Finding]:
    """Read how logs are kept."""
    for name in _names(scene):
        options = dict(scene.containers.log_options(name))
        bounded = options.get("driver") in {"local", "none", "journald"} or "max-size" in options
        yield Finding(
            subject=name,
            expected="bounded",
            actual="bounded" if bounded else "unbounded",
            observations=(Observation(role="engine", request="log options", value=dict(options)),),
        )


def _wait(ask: Callable[[], str], wanted: str, limit_s: float) -> str:
    """
    Ask until the wanted word comes, at most so long; return the last one.
    """
    end = time.monotonic() + limit_s
    while (said := ask()) != wanted and time.monotonic() < end:
        time.sleep(0.2)
    return said or "(none)"


CHECKS = (
    not_root,
    no_capabilities,
    read_only,
    ports_on_loopback,
    limits_set,
    secrets_not_shown,
    logs_bounded,
    restarted,
    health_fails,
)
