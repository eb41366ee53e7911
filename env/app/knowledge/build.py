"""
Owns what this build says of itself: version, commit, time, and the digest of the code that really runs.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from knowledge.settings import Settings

__all__ = ["Build", "digest_source", "read_build"]

PACKAGE = Path(__file__).resolve().parent


@dataclass(frozen=True, slots=True)
class Build:
    """
    The identity of the running code; `source` is the sha256 (hex) over the package's own files.
    """

    version: str
    commit: str
    built: str
    source: str


def digest_source(package: Path = PACKAGE) -> str:
    """
    Digest the package's .py files in the order of their relative POSIX paths: path, NUL, content, NUL.

    The same edit of the same copy gives the same digest wherever the copy lies. Read-only.
    """
    digest = hashlib.sha256()
    for relative in sorted(path.relative_to(package).as_posix() for path in package.rglob("*.py")):
        digest.update(relative.encode() + b"\0" + (package / relative).read_bytes() + b"\0")
    return digest.hexdigest()


def read_build(settings: Settings) -> Build:
    """
    Read what was set at build time, and digest the source as it is now.
    """
    return Build(settings.version, settings.commit, settings.built, digest_source())
