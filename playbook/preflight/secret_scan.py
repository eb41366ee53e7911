"""
Owns the scan of tracked files for secrets, by detect-secrets with its default plugins and filters.

A line that is no secret carries `pragma: allowlist secret` in a comment, where a reviewer sees it.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

__all__ = ["find_secrets"]


def find_secrets(folder: Path, names: Iterable[str]) -> list[str]:
    """
    Scan files below a folder; return `path:line kind` of each hit, sorted. Never the secret itself.
    """
    from detect_secrets.core.secrets_collection import SecretsCollection  # noqa: PLC0415 (slow to load)
    from detect_secrets.settings import default_settings  # noqa: PLC0415

    found = SecretsCollection(root=str(folder))
    with default_settings():
        for name in names:
            if (folder / name).is_file():
                found.scan_file(name)
    return sorted(f"{path}:{secret.line_number} {secret.type}" for path, secret in found)
