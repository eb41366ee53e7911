"""
Owns the archive of the log: the settings that fill it, and which of its segments are there. It restores nothing.
"""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from pathlib import Path

from playbook.postgres.connect import connect
from playbook.recovery.journal import CommandFailed
from playbook.recovery.procedure import PhysicalPlan

__all__ = ["archive_settings", "missing_segments", "segments", "wait_until_archived"]

_SEGMENT_BYTES = 16 * 1024 * 1024
_PER_LOG = 0x1_0000_0000 // _SEGMENT_BYTES


def archive_settings(archive: Path, plan: PhysicalPlan, *, durable: bool) -> dict[str, str]:
    """
    Spell the settings of a server whose log is archived into a folder.

    `durable`: it waits for the disk as a real one does, for whoever measures time.
    """
    return {
        "archive_mode": "on",
        "archive_command": f"test ! -f '{archive}/%f' && cp %p '{archive}/.%f' && mv '{archive}/.%f' '{archive}/%f'",
        "archive_timeout": f"{plan.archive_timeout_s:.0f}s",
        "fsync": "on" if durable else "off",
        "full_page_writes": "on",
    }


def wait_until_archived(dsn: str, segment: str, *, limit_s: float = 20.0) -> None:
    """
    Wait until the server says that a segment is archived. Raises CommandFailed at the limit.
    """
    end = time.monotonic() + limit_s
    with connect(dsn, "superuser", autocommit=True, purpose="archive") as connection:
        while True:
            row = connection.execute("SELECT coalesce(last_archived_wal, '') >= %s FROM pg_stat_archiver", (segment,))
            if (row.fetchone() or (False,))[0]:
                return
            if time.monotonic() > end:
                raise CommandFailed(f"{segment} was not archived within {limit_s:.0f} s")
            time.sleep(0.02)


def segments(base: Path, last: str) -> list[str]:
    """
    List the log's segments from the start of a base backup to `last`, by name. Read-only.
    """
    label = (base / "backup_label").read_text(encoding="utf-8")
    found = re.search(r"START WAL LOCATION: \S+ \(file ([0-9A-F]{24})\)", label)
    assert found is not None
    first = found[1]
    timeline = first[:8]
    return [
        f"{timeline}{number // _PER_LOG:08X}{number % _PER_LOG:08X}"
        for number in range(_number(first), _number(last) + 1)
    ]


def missing_segments(archive: Path, needed: Sequence[str]) -> list[str]:
    """
    List which of these segments the archive does not hold whole. Read-only.
    """
    return [
        name for name in needed if not (archive / name).is_file() or (archive / name).stat().st_size != _SEGMENT_BYTES
    ]


def _number(segment: str) -> int:
    return int(segment[8:16], 16) * _PER_LOG + int(segment[16:24], 16)
