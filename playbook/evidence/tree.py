"""
Owns walking a run folder: regular files under plain names, and everything else told as what it is.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path

__all__ = ["FOLDERS", "LATE", "Digest", "Odd", "Tree", "digest_file", "odd_name", "walk"]

FOLDERS = ("attachments", "notebooks", "signatures")
"""The only folders that a run folder may hold."""

LATE = re.compile(r"manifest\.json|statement\.json|statement\.dsse\.json|signatures/[A-Za-z0-9._-]+")
"""What the manifest does not list: itself, and what may come after it."""

_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*")
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Odd:
    """
    Something that a run folder may not hold.
    """

    path: str
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Tree:
    """
    What lies in a folder: paths of its regular files, sorted, and what is odd.
    """

    files: tuple[str, ...]
    odd: tuple[Odd, ...]


@dataclass(frozen=True, slots=True)
class Digest:
    """
    sha256 and size of a file.
    """

    sha256: str
    size: int


def walk(folder: Path) -> Tree:
    """
    List a run folder without following any link. Read-only.
    """
    files: list[str] = []
    odd: list[Odd] = []
    _walk(folder, "", files, odd)
    seen: dict[str, str] = {}
    for name in sorted(files):
        twin = seen.setdefault(name.casefold(), name)
        if twin != name:
            odd.append(Odd(name, "case-clash", f"differs from {twin} only in case"))
    return Tree(files=tuple(sorted(files)), odd=tuple(odd))


def _walk(folder: Path, prefix: str, files: list[str], odd: list[Odd]) -> None:
    with os.scandir(folder) as entries:
        for entry in sorted(entries, key=lambda one: one.name):
            path = prefix + entry.name
            wrong = odd_name(path)
            if wrong:
                odd.append(wrong)
            mode = entry.stat(follow_symlinks=False).st_mode
            if stat.S_ISLNK(mode):
                odd.append(Odd(path, "link", f"is a link to {os.readlink(entry.path)}"))  # noqa: PTH115 (a DirEntry)
            elif stat.S_ISDIR(mode):
                if path in FOLDERS:
                    _walk(Path(entry.path), f"{path}/", files, odd)
                else:
                    odd.append(Odd(path, "folder-extra", "is a folder that no run has"))
            elif stat.S_ISREG(mode):
                files.append(path)
            else:
                odd.append(Odd(path, "not-regular", "is neither a file nor a folder"))


def odd_name(path: str) -> Odd | None:
    """
    Say what is wrong with a path within a run folder, if anything. Read-only.
    """
    parts = path.split("/")
    if path.startswith("/"):
        return Odd(path, "path-absolute", "is an absolute path")
    if ".." in parts:
        return Odd(path, "path-parent", "leads out of the folder with ..")
    if not all(part.isascii() for part in parts):
        return Odd(path, "name-characters", f"has look-alike or foreign characters: {path!a}")
    if not all(_NAME.fullmatch(part) for part in parts):
        return Odd(path, "name-form", f"is no name that a run writes: {path!a}")
    return None


def digest_file(path: Path) -> Digest:
    """
    Digest a regular file in pieces, so that memory does not grow with it. Never follows a link.
    """
    total, size = hashlib.sha256(), 0
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(handle, "rb") as file:
        while chunk := file.read(_CHUNK):
            total.update(chunk)
            size += len(chunk)
    return Digest(total.hexdigest(), size)
