"""
Owns what is asked in this phase: the files that a target's repository tracks, and the advisories at hand.
"""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib.metadata import distributions
from pathlib import Path

from playbook.errors import Unavailable
from playbook.proof.scene import Scene

__all__ = ["ADVISORIES_ENV", "Source", "source_of", "staged", "tracked_files"]

ADVISORIES_ENV = "PLAYBOOK_ADVISORIES"
_MEMO = "preflight.source"
_GIT_LIMIT_S = 30


@dataclass(frozen=True, slots=True)
class Source:
    """
    A folder of a Git work tree, a folder or zip of OSV records (None: none at hand), and what is installed.

    `installed` maps normalised names of distributions to their versions.
    """

    folder: Path
    advisories: Path | None
    installed: Mapping[str, str]


def tracked_files(folder: Path) -> tuple[str, ...]:
    """
    List what Git tracks below a folder, relative to it, sorted. Read-only.

    Raises Unavailable where the folder is in no work tree, or Git is not installed.
    """
    try:
        ran = subprocess.run(
            ["git", "-C", str(folder), "ls-files", "-z"], capture_output=True, timeout=_GIT_LIMIT_S, check=False
        )
    except FileNotFoundError:
        raise Unavailable("Git is not installed", hint="Install it to have the repository looked at.") from None
    except subprocess.TimeoutExpired:
        raise Unavailable(f"git ls-files took over {_GIT_LIMIT_S} s", hint="Try it by hand.") from None
    if ran.returncode != 0:
        words = ran.stderr.decode(errors="replace").strip().splitlines()
        raise Unavailable(
            f"{folder} is in no Git work tree: {words[0] if words else 'no reason given'}",
            hint="Name a checkout as the target's source.",
        )
    names = ran.stdout.decode(errors="surrogateescape").split("\0")
    return tuple(sorted(name for name in names if name))


def installed_distributions() -> dict[str, str]:
    """
    Read what is installed beside the playbook: with a service started from source, what the service runs on.
    """
    return {_normal(one.metadata["Name"]): one.version for one in distributions() if one.metadata["Name"]}


def find_source(scene: Scene, environ: Mapping[str, str]) -> Source:
    """
    Find the target's source. Raises Unavailable for a target without one.
    """
    service = scene.target.service
    source = service.found.source if service else None
    if source is None:
        raise Unavailable("the target names no source folder", hint="Set service.found.source.folder in the target.")
    named = environ.get(ADVISORIES_ENV)
    return Source(source.folder, Path(named) if named else None, installed_distributions())


def staged(scene: Scene, source: Source) -> Scene:
    """
    Return the scene in which checks find this source.
    """
    return replace(scene, memo={**scene.memo, _MEMO: source})


def source_of(scene: Scene) -> Source:
    """
    Find the source of a scene. Raises Unavailable when none was staged.
    """
    found = scene.memo.get(_MEMO)
    if not isinstance(found, Source):
        raise Unavailable("no source folder was looked at", hint="Name one in the target.")
    return found


def _normal(name: str) -> str:
    from packaging.utils import canonicalize_name  # noqa: PLC0415 (needed in this phase only)

    return str(canonicalize_name(name))
