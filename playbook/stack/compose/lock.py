"""
Owns `env/images.lock`: which versions of which packages the images were built from when they were last looked at.

Debian's mirrors keep no old versions, so that this pins what a run must be compared with, not what a build may take:
what differs is said.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path

from playbook.errors import StackError
from playbook.stack.compose.images import Images

__all__ = ["PACKAGES", "read_differences", "read_lock", "read_packages", "write_lock"]

PACKAGES: Mapping[str, tuple[str, ...]] = {
    "postgres": ("postgresql-17", "pgbackrest"),
    "redis": ("valkey-server",),
    "pgbouncer": ("pgbouncer",),
    "proxy": ("haproxy",),
    "app": ("python3", "libfaketime"),
    "observe": (
        "prometheus",
        "prometheus-alertmanager",
        "prometheus-postgres-exporter",
        "prometheus-redis-exporter",
    ),
    "load": ("python3",),
    "store": ("openssl",),
}
_LIST = (
    "dpkg-query -W -f '${Package} ${Version}\\n';"
    " for file in /var/lib/dpkg/status.d/*; do"
    " [ -f \"$file\" ] && sed -n 's/^Package: //p; s/^Version: //p' \"$file\" | paste -sd ' '; done"
)

Versions = Mapping[str, Mapping[str, str]]


def read_packages(images: Images) -> Versions:
    """
    Ask every image for the versions of what it is there for. Read-only. Raises StackError.
    """
    return {name: _packages(tag, PACKAGES[name]) for name, tag in images.tags.items()}


def read_lock(file: Path) -> Versions:
    """
    Read the lock; empty where there is none.
    """
    if not file.is_file():
        return {}
    found: dict[str, dict[str, str]] = json.loads(file.read_text(encoding="utf-8"))
    return found


def write_lock(file: Path, found: Versions) -> None:
    """
    Replace the lock.
    """
    file.write_text(json.dumps(found, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def read_differences(found: Versions, locked: Versions) -> tuple[str, ...]:
    """
    Say, one sentence each, what is not as in the lock.
    """
    return tuple(
        f"{name}: {package} {version}, the lock says {locked.get(name, {}).get(package, 'nothing')}"
        for name, packages in found.items()
        for package, version in packages.items()
        if locked.get(name, {}).get(package) != version
    )


def _packages(tag: str, wanted: tuple[str, ...]) -> Mapping[str, str]:
    words = ["docker", "run", "--rm", "--network", "none", "--entrypoint", "sh", tag, "-c", _LIST]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)
    known = dict(line.split(maxsplit=1) for line in done.stdout.splitlines() if " " in line)
    missing = [name for name in wanted if name not in known]
    if missing:
        raise StackError(
            f"{tag} does not hold {', '.join(missing)}: {done.stderr.strip()[-200:]}", hint="Build it again."
        )
    return {name: known[name] for name in wanted}
