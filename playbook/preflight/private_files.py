"""
Owns which names of files have no place in a repository: environment files, dumps, logs, private keys.
"""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase
from pathlib import PurePosixPath

__all__ = ["private_names"]

_PRIVATE = (
    ".env", ".env.*", "*.env", ".envrc", ".netrc", ".pgpass", ".htpasswd",
    "*.dump", "*.pgdump", "*.sql.gz", "*.sql.xz", "*.sql.zst", "*.bak", "*.sqlite", "*.sqlite3", "*.rdb", "*.db",
    "*.log", "*.log.[0-9]*", "*.trace", "core.[0-9]*",
    "*.pem", "*.key", "*.p12", "*.pfx", "*.jks", "id_rsa", "id_ed25519", "id_ecdsa",
)  # fmt: skip
_HARMLESS = (".env.example", ".env.sample", ".env.template", "*.env.example", "example.env", "*.pub")


def private_names(names: Iterable[str]) -> list[str]:
    """
    Choose the paths whose last part is such a name, whatever its case; sorted.
    """
    return sorted(name for name in names if _is_private(PurePosixPath(name).name.lower()))


def _is_private(name: str) -> bool:
    return any(fnmatchcase(name, one) for one in _PRIVATE) and not any(fnmatchcase(name, one) for one in _HARMLESS)
