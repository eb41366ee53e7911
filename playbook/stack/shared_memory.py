"""
Owns the one piece of shared memory that a killed PostgreSQL leaves outside of its data directory.

It is tiny, but the kernel has few of them (shmget(2), SHMMNI); nobody else would ever remove it.
"""

from __future__ import annotations

import ctypes
import sys
from pathlib import Path

__all__ = ["remove_segment"]

_IPC_RMID = 0
_SEGMENT_LINE = 6  # of postmaster.pid: key and id of the segment


def remove_segment(data: Path) -> bool:
    """
    Remove the segment of a data directory whose server was killed; True when there was one. Linux only.

    A server that still runs keeps it: the kernel removes it once nobody uses it.
    """
    if sys.platform != "linux":
        return False
    try:
        line = (data / "postmaster.pid").read_text(encoding="utf-8").splitlines()[_SEGMENT_LINE]
        number = int(line.split()[1])
    except (OSError, ValueError, IndexError):
        return False
    answer: int = ctypes.CDLL(None).shmctl(number, _IPC_RMID, None)
    return answer == 0
