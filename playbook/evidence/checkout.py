"""
Owns the fingerprint of a checkout: which sources, lock, Python and packages a run used.
"""

from __future__ import annotations

import hashlib
import os
import platform
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from pydantic import Field

from playbook.evidence.result import Frozen

__all__ = ["FOLDERS", "Checkout", "fingerprint_checkout"]

FOLDERS = ("playbook", "notebooks", "data", "env")
_GENERATED = {"__pycache__", ".ipynb_checkpoints", "evidence", "scratch", "node_modules"}
_DIST_INFO = re.compile(r"^(?P<name>.+?)-(?P<version>[^-]+)\.(?:dist-info|egg-info)$")
_GIT_LIMIT_S = 10


class Checkout(Frozen):
    """
    Which sources ran. `commit` is null outside git; `dirty` is null where git cannot tell.

    `sources_sha256` is over the sorted (path, sha256) of the tracked files of playbook, notebooks, data and env.
    """

    commit: str | None
    dirty: bool | None
    sources_sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    files: int = Field(ge=0)
    lock_sha256: str | None
    python: str
    packages: dict[str, str]
    platform: str


def fingerprint_checkout(
    root: Path,
    *,
    lock: Path,
    folders: Sequence[str] = FOLDERS,
    search_path: Sequence[str] | None = None,
    environ: Mapping[str, str] | None = None,
) -> Checkout:
    """
    Take the fingerprint of the checkout at `root`. Read-only.

    Any tracked file that differs from the commit makes it dirty, and so does a new file among the sources.
    Without git, or when `root` is no repository of its own, every file of the folders counts and `dirty` is unknown.
    """
    git = _git_state(root, folders, os.environ if environ is None else environ)
    commit, dirty, names = git or (None, None, sorted(_walk(root, folders)))
    total = hashlib.sha256()
    count = 0
    for name in names:
        content = _digest(root / name)
        if content is not None:
            total.update(f"{name}\0{content}\n".encode("utf-8", "surrogateescape"))
            count += 1
    return Checkout(
        commit=commit,
        dirty=dirty,
        sources_sha256=total.hexdigest(),
        files=count,
        lock_sha256=_digest(lock),
        python=f"{platform.python_implementation()} {platform.python_version()}",
        packages=_packages(sys.path if search_path is None else search_path),
        platform=platform.platform(),
    )


def _git_state(
    root: Path, folders: Sequence[str], environ: Mapping[str, str]
) -> tuple[str | None, bool, list[str]] | None:
    # A hook's GIT_DIR or GIT_INDEX_FILE would answer for another repository.
    env = {key: value for key, value in environ.items() if not key.startswith("GIT_")} | {"GIT_OPTIONAL_LOCKS": "0"}

    def git(*args: str) -> str | None:
        try:
            done = subprocess.run(
                ["git", "-C", str(root), *args], env=env, capture_output=True, timeout=_GIT_LIMIT_S, check=False
            )
        except (OSError, subprocess.TimeoutExpired):
            return None
        return done.stdout.decode("utf-8", "surrogateescape") if done.returncode == 0 else None

    top = git("rev-parse", "--show-toplevel")
    if top is None or Path(top.removesuffix("\n")).resolve() != root.resolve():
        return None
    status = git("status", "--porcelain=v2", "--branch", "-z", "--", *folders)
    differing = git("status", "--porcelain", "--untracked-files=no")
    tracked = git("ls-files", "-z", "--", *folders)
    if status is None or differing is None or tracked is None:
        return None
    lines = [line for line in status.split("\0") if line]
    commit = next(
        (line.removeprefix("# branch.oid ") for line in lines if line.startswith("# branch.oid ")), "(initial)"
    )
    changed = bool(differing) or any(not line.startswith("# ") for line in lines)
    return (None if commit == "(initial)" else commit), changed, sorted(set(tracked.split("\0")) - {""})


def _walk(root: Path, folders: Iterable[str]) -> Iterator[str]:
    for folder in folders:
        for place, inner, files in os.walk(root / folder):
            inner[:] = [name for name in inner if name not in _GENERATED]
            yield from (os.path.relpath(os.path.join(place, name), root) for name in files)  # noqa: PTH118 (hot loop)


def _digest(path: Path) -> str | None:
    try:
        if path.is_symlink():
            return hashlib.sha256(b"link " + os.fsencode(os.readlink(path))).hexdigest()  # noqa: PTH115 (bytes of the link)
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        return None


def _packages(search_path: Sequence[str]) -> dict[str, str]:
    """
    Read names and versions from the folders' names: opening each METADATA costs ten times as much.
    """
    found: dict[str, str] = {}
    for entry in search_path:
        try:
            names = os.listdir(entry or ".")  # noqa: PTH208 (names are all that is read)
        except OSError:
            continue
        for name in names:
            match = _DIST_INFO.match(name)
            if match:
                found.setdefault(re.sub(r"[-_.]+", "-", match["name"]).lower(), match["version"])
    return dict(sorted(found.items()))
