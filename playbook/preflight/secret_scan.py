"""
Owns the scan of tracked files for secrets, by detect-secrets with its default plugins and filters.

A line that is no secret carries `pragma: allowlist secret` in a comment, where a reviewer sees it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

__all__ = ["find_secrets"]

_SCANNED: dict[tuple[str, str], tuple[str, ...]] = {}
"""What was found in a file of that name and content: both states, and every copy, are asked about the same ones."""


def find_secrets(folder: Path, names: Iterable[str]) -> list[str]:
    """
    Scan files below a folder; return `path:line kind` of each hit, sorted. Never the secret itself.
    """
    return sorted(hit for name in names if (folder / name).is_file() for hit in _hits(folder, name))


def _hits(folder: Path, name: str) -> tuple[str, ...]:
    place = (name, hashlib.sha256((folder / name).read_bytes()).hexdigest())
    if place not in _SCANNED:
        _SCANNED[place] = _scan(folder, name)
    return _SCANNED[place]


def _scan(folder: Path, name: str) -> tuple[str, ...]:
    from detect_secrets.core.secrets_collection import SecretsCollection  # noqa: PLC0415 (slow to load)
    from detect_secrets.settings import default_settings  # noqa: PLC0415

    found = SecretsCollection(root=str(folder))
    with default_settings():
        found.scan_file(name)
    return tuple(f"{path}:{secret.line_number} {secret.type}" for path, secret in found)
