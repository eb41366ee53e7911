"""
Owns the checks of phase 10 that only a stack of containers can answer: how much a service may do.

Each looks at every container of a state, from inside wherever that is possible, and not at how it was described.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from pydantic import JsonValue

from playbook.evidence.result import Observation
from playbook.proof.check import Check, Finding, check
from playbook.proof.scene import Scene

__all__ = ["CHECKS", "container_check", "names_of"]

_UNLIMITED_BYTES = 1 << 50
_READ_LIMITS = (
    "cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/pids.max 2>/dev/null"
    " || cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/pids/pids.max"
)


def names_of(scene: Scene) -> Sequence[str]:
    """
    List the containers of a scene: the population of every check here. Read-only.
    """
    return scene.containers.names()


def _field(scene: Scene, name: str, field: str) -> tuple[str, Observation]:
    said = scene.containers.run(name, ["cat", "/proc/1/status"]).stdout
    line = next((line for line in said.splitlines() if line.startswith(f"{field}:")), f"{field}: (not told)")
    value = " ".join(line.split()[1:])
    return value, Observation(role="inside", request=f"{field} in /proc/1/status", value=value)


def container_check(
    slug: str, *, population: Callable[[Scene], Sequence[str]] = names_of, **words: str
) -> Callable[[Callable[[Scene], Iterator[Finding]]], Check]:
    """
    Make a check of all containers, or those of the population, `container.` and the slug.
    """
    severity = words.pop("severity")
    return check(
        f"container.{slug}",
        phase="10",
        population=population,
        reach="code",
        severity=severity,  # type: ignore[arg-type]
        dear=slug.partition(".")[0] in {"health", "restart", "start"},
        **words,  # type: ignore[arg-type]
    )


@container_check(
    "user.not-root",
    title="No container runs as root",
    severity="high",
    why="Whoever breaks out of a process of root's is root: on the host too where no user namespace stands between.",
    how="Read the user of the first process inside of each container.",
    remedy="Give the image a USER, or the service a user:, by number.",
)
def not_root(scene: Scene) -> Iterator[Finding]:
    """Read who runs each container."""
    for name in names_of(scene):
        value, seen = _field(scene, name, "Uid")
        yield Finding(subject=name, expected="0", operator="ne", actual=value.partition(" ")[0], observations=(seen,))


@container_check(
    "capabilities.none",
    title="No container has a capability, or can gain one",
    severity="high",
    why="Capabilities are pieces of root's power (capabilities(7)); a service on a port above 1024 needs none.",
    how="Read the bounding set, and whether new privileges can be gained, inside of each container.",
    remedy="cap_drop: [ALL], and security_opt: [no-new-privileges:true].",
)
def no_capabilities(scene: Scene) -> Iterator[Finding]:
    """Read what each container could ever do."""
    for name in names_of(scene):
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


@container_check(
    "root.read-only",
    title="No container can change its own programs",
    severity="medium",
    why="What cannot be written cannot be replaced by an intruder, nor be lost when the container is made anew.",
    how="Try to make a file in the root folder of each container.",
    remedy="read_only: true, with tmpfs or volumes for what must be written.",
)
def read_only(scene: Scene) -> Iterator[Finding]:
    """Try to write where the programs are."""
    for name in names_of(scene):
        said = scene.containers.run(name, ["touch", "/usr/playbook-probe"]).stderr.strip()
        yield Finding(
            subject=name,
            expected="Read-only file system",
            operator="contains",
            actual=said or "it was written",
            observations=(Observation(role="inside", request="touch /usr/playbook-probe", value=said),),
        )


@container_check(
    "ports.loopback",
    title="No port is published beyond this machine",
    severity="high",
    why="A published port passes most host firewalls: the engine writes its own rules before them.",
    how="Read on which addresses the ports of each container are published.",
    remedy="Publish on 127.0.0.1 only, or not at all: services of one network reach each other anyway.",
)
def ports_on_loopback(scene: Scene) -> Iterator[Finding]:
    """Read where ports are published."""
    for name in names_of(scene):
        published = scene.containers.published(name)
        yield Finding(subject=name, expected=["127.0.0.1"], operator="subset", actual=[*published])


@container_check(
    "limits.set",
    title="Memory and processes of every container are limited",
    severity="medium",
    why="One service that leaks takes the whole machine down, and whatever else runs there.",
    how="Read the limits that the kernel holds, inside of each container.",
    remedy="Set mem_limit and pids_limit.",
)
def limits_set(scene: Scene) -> Iterator[Finding]:
    """Read the limits from the control group."""
    for name in names_of(scene):
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


@container_check(
    "secrets.not-shown",
    title="No secret is shown by docker inspect or an image's history",
    severity="high",
    why="Whoever may ask the engine sees a container's environment and its image's steps.",
    how="Look for each secret of the stack in all that the engine shows of each container and its image.",
    remedy="Mount secrets as files; pass build secrets by --mount=type=secret.",
)
def secrets_not_shown(scene: Scene) -> Iterator[Finding]:
    """Look for every known secret."""
    for name in names_of(scene):
        shown = scene.containers.shown(name)
        found = sorted(secret for secret, value in scene.secrets.items() if len(value) > 8 and value in shown)  # noqa: PLR2004
        yield Finding(subject=name, expected=[], actual=[*found])


@container_check(
    "logs.bounded",
    title="No container's log can fill the disk",
    severity="low",
    why="The engine's default keeps every line for as long as the container lives.",
    how="Read how each container's log is kept.",
    remedy="Set max-size and max-file for json-file, or a driver that rotates.",
)
def logs_bounded(scene: Scene) -> Iterator[Finding]:
    """Read how logs are kept."""
    for name in names_of(scene):
        options = dict(scene.containers.log_options(name))
        bounded = options.get("driver") in {"local", "none", "journald"} or "max-size" in options
        yield Finding(
            subject=name,
            expected="bounded",
            actual="bounded" if bounded else "unbounded",
            observations=(Observation(role="engine", request="log options", value=dict(options)),),
        )


CHECKS = (
    not_root,
    no_capabilities,
    read_only,
    ports_on_loopback,
    limits_set,
    secrets_not_shown,
    logs_bounded,
)
