"""
Owns the machine-wide lock that measuring takes: two measurements at once would measure each other (DESIGN §10).
"""

from __future__ import annotations

import fcntl
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from playbook.errors import StackError

__all__ = ["LOCK_NAME", "measuring", "read_busy_share"]

LOCK_NAME = "hardening-playbook.measuring"
LIMIT_S = 900.0


@contextmanager
def measuring(*, folder: Path | None = None, limit_s: float = LIMIT_S) -> Iterator[None]:
    """
    Hold the lock for the time of the block; wait for whoever has it, at most `limit_s`.

    It goes with the process that holds it. Raises StackError at the limit.
    """
    number = _open((folder or Path(tempfile.gettempdir())) / LOCK_NAME)
    try:
        end = time.monotonic() + limit_s
        while not _taken(number):
            if time.monotonic() > end:
                raise StackError(
                    f"another measurement has run on this machine for {limit_s:.0f} s", hint="Try again after it."
                )
            time.sleep(0.1)
        yield
    finally:
        os.close(number)


def read_busy_share(*, during_s: float = 0.3) -> float:
    """
    Read which share of the machine's processors works now, from 0 to 1. Read-only.
    """
    return float(psutil.cpu_percent(interval=during_s)) / 100


def _open(path: Path) -> int:
    """
    Open the file that all users share; it is made once, and only read from then on (see fs.protected_regular).
    """
    while True:
        try:
            return os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except FileNotFoundError:
            pass
        try:
            number = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
        except FileExistsError:
            continue
        os.fchmod(number, 0o644)
        return number


def _taken(number: int) -> bool:
    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
