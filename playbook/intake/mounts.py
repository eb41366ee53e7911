"""
Owns deciding which mounts of a service a twin keeps: volumes, and the project's own files to be read.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from playbook.intake.override import Value
from playbook.intake.project import MountSeen

__all__ = ["own_mounts"]

_NEVER_MOUNTED = ("/", "/etc", "/var/run", "/run", "/proc", "/sys", "/dev", "/root", "/home", "/var/lib/docker")


def own_mounts(
    name: str, mounts: Sequence[MountSeen], folder: Path, volumes: list[str], changes: list[str]
) -> Iterator[Value]:
    """
    Keep what a twin of the project in `folder` may have; volumes that it needs of its own are added to `volumes`.
    """
    for seen in mounts:
        yield from _own_mount(name, seen, folder, volumes, changes)


def _own_mount(name: str, seen: MountSeen, folder: Path, volumes: list[str], changes: list[str]) -> Iterator[Value]:
    """
    Keep volumes (they are the twin's own), let the project's files be read, and drop whatever else is of the host.
    """
    if seen.type != "bind" or seen.source is None:
        kept: dict[str, Value] = {"type": seen.type, "target": seen.target}
        if seen.source is not None:
            kept["source"] = seen.source
        if seen.read_only:
            kept["read_only"] = True
        yield kept
        return
    source = Path(seen.source)
    if source.suffix == ".sock" or str(source) in _NEVER_MOUNTED or not source.resolve().is_relative_to(folder):
        changes.append(f"{name}: {seen.source} is not mounted (it is this machine's, not the project's)")
        return
    if seen.read_only or source.is_file() or _holds_something(source):
        if not seen.read_only:
            changes.append(f"{name}: {seen.source} is mounted read-only")
        yield {"type": "bind", "source": seen.source, "target": seen.target, "read_only": True}
        return
    volume = f"twin-{name}-{seen.target.strip('/').replace('/', '-')}"
    if volume not in volumes:
        volumes.append(volume)
    changes.append(f"{name}: {seen.source} → an empty volume of its own at {seen.target}")
    yield {"type": "volume", "source": volume, "target": seen.target}


def _holds_something(folder: Path) -> bool:
    """
    Tell code and the like from a folder that only waits for data; files like .keep do not count.
    """
    return folder.is_dir() and any(not one.name.startswith(".") for one in folder.iterdir())
