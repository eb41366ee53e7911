"""
Owns what identifies a process beyond its pid, so that nobody ever kills a stranger who got the number later.

Standard library only: the supervisor imports it and must start fast.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path

__all__ = ["created_s", "descendants", "kill_tree", "marked", "signal_tree", "started"]

_PROC = Path("/proc")
_STATE, _PPID, _START = 0, 1, 19  # positions after the command's closing bracket, proc_pid_stat(5)


def _stat(pid: int) -> list[str] | None:
    try:
        text = (_PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    return text.rpartition(")")[2].split()


def _pids() -> tuple[int, ...]:
    return tuple(int(entry.name) for entry in _PROC.iterdir() if entry.name.isdigit())


def _boot() -> str:
    with contextlib.suppress(OSError):
        return (_PROC / "sys/kernel/random/boot_id").read_text(encoding="ascii").strip()[:8]
    return "noboot"


def started(pid: int) -> str | None:
    """
    Name the moment a process started, as an opaque token; None when it is gone or a zombie. Read-only.

    On Linux: boot id and clock ticks since boot, which no change of the wall clock moves.
    """
    if sys.platform == "linux":
        fields = _stat(pid)
        if fields is None or fields[_STATE] in "ZX":
            return None
        return f"{_boot()}:{fields[_START]}"
    shown = subprocess.run(
        ["ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
    ).stdout.split(maxsplit=1)
    return None if len(shown) < 2 or shown[0].startswith("Z") else shown[1].strip()  # noqa: PLR2004 (state, time)


def created_s(pid: int) -> float | None:
    """
    Say when a process started, in seconds of the wall clock; None when unknown. Read-only.
    """
    fields = _stat(pid)
    if fields is None:
        return None
    for line in (_PROC / "stat").read_text(encoding="ascii").splitlines():
        if line.startswith("btime "):
            return int(line.split()[1]) + int(fields[_START]) / os.sysconf("SC_CLK_TCK")
    return None


def _parents() -> dict[int, int]:
    if sys.platform != "linux":
        shown = subprocess.run(["ps", "-axo", "pid=,ppid="], capture_output=True, text=True, check=False).stdout
        return {int(pid): int(parent) for pid, parent in (line.split() for line in shown.splitlines())}
    found: dict[int, int] = {}
    for pid in _pids():
        if (fields := _stat(pid)) is not None:
            found[pid] = int(fields[_PPID])
    return found


def descendants(pid: int) -> tuple[int, ...]:
    """
    List all processes below a process, nearest first. Read-only.
    """
    parents = _parents()
    found: list[int] = []
    level = {pid}
    while level:
        level = {child for child, parent in parents.items() if parent in level and child not in found}
        found.extend(sorted(level))
    return tuple(found)


def signal_tree(pid: int, number: int) -> None:
    """
    Signal a process and everything below it; on SIGCONT the children first, so that none is missed at the top.
    """
    order = [pid, *descendants(pid)]
    if number == signal.SIGCONT:
        order.reverse()
    for one in order:
        with contextlib.suppress(ProcessLookupError):
            os.kill(one, number)


def kill_tree(pid: int, *, limit_s: float = 5.0) -> bool:
    """
    Kill a process and everything below it at once; True when all of them are gone within the limit.
    """
    tree = {one: started(one) for one in (pid, *descendants(pid))}
    for one, token in tree.items():
        if token is not None and started(one) == token:
            with contextlib.suppress(ProcessLookupError):
                os.kill(one, signal.SIGKILL)
    return _gone(tree.items(), limit_s)


def _gone(tree: Iterable[tuple[int, str | None]], limit_s: float) -> bool:
    end = time.monotonic() + limit_s
    left = [(pid, token) for pid, token in tree if token is not None]
    while left:
        left = [(pid, token) for pid, token in left if started(pid) == token]
        if left and time.monotonic() > end:
            return False
        time.sleep(0.01 if left else 0)
    return True


def marked(variable: str, value: str) -> tuple[int, ...]:
    """
    List processes whose environment carries `variable=value`. Read-only; Linux only, elsewhere empty.
    """
    wanted = f"{variable}={value}".encode()
    found = []
    for pid in _pids() if sys.platform == "linux" else ():
        with contextlib.suppress(OSError):
            if pid != os.getpid() and wanted in (_PROC / str(pid) / "environ").read_bytes().split(b"\0"):
                found.append(pid)
    return tuple(pid for pid in found if started(pid) is not None)
