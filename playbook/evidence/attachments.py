"""
Owns files under attachments/: their names, which come from their content, and storing them whole or not at all.
"""

from __future__ import annotations

import os
import re
import secrets
from pathlib import Path

from playbook.errors import EvidenceError
from playbook.evidence.canonical import sha256_hex
from playbook.evidence.events import AttachmentStored
from playbook.evidence.lines import DISK_FULL

__all__ = ["PARTIAL", "store_attachment", "write_whole"]

PARTIAL = ".partial-"
"""Prefix of files that are not finished; sealing removes what a dead writer left of them."""

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,99}")


def store_attachment(folder: Path, name: str, content: bytes) -> AttachmentStored:
    """
    Store redacted content under `folder`/attachments; storing it again changes nothing.

    Raises EvidenceError: `attachment-name`, `disk-full`, `log-unwritable`.
    """
    if not _NAME.fullmatch(name):
        raise EvidenceError(
            f"{name!r} cannot name an attachment",
            hint="Use lower-case letters, digits, dots, dashes and underscores; no folder.",
            code="attachment-name",
        )
    sha256 = sha256_hex(content)
    path = f"attachments/{sha256[:12]}-{name}"
    write_whole(folder / path, content)
    return AttachmentStored(path=path, sha256=sha256, size=len(content))


def write_whole(path: Path, content: bytes) -> None:
    """
    Write a file so that it is there whole or not at all: beside, synced, renamed.
    """
    partial = path.with_name(f"{PARTIAL}{secrets.token_hex(6)}")
    try:
        path.parent.mkdir(exist_ok=True)
        with partial.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
        _sync_folder(path.parent)
    except OSError as err:
        partial.unlink(missing_ok=True)
        full = err.errno in DISK_FULL
        raise EvidenceError(
            f"{path} cannot be written: {err.strerror}",
            hint="Free space on that disk." if full else "Look at the owner and the permissions of that folder.",
            code="disk-full" if full else "log-unwritable",
        ) from err


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
