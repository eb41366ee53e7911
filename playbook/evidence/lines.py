"""
Owns appending whole lines to a file that others append to as well: lock, flush, undo of what did not fit.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playbook.errors import EvidenceError

__all__ = ["DISK_FULL", "LineFile", "is_torn"]

DISK_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_TORN_END = 6
"""A cut literal or escape is at most this long: `false`, `\\u00e`."""


def is_torn(tail: bytes) -> bool:
    """
    Say whether bytes without a newline are provably the beginning of a line that was never finished. Read-only.

    True for the beginning of a JSON object, and for the zeros that a file system leaves after a power cut.
    """
    if not tail.strip(b"\0"):
        return True
    text = tail.decode("utf-8", "ignore")
    if not text.startswith("{"):
        return False
    try:
        json.loads(text)
    except json.JSONDecodeError as err:
        return err.msg.startswith("Unterminated string") or len(text) - err.pos <= _TORN_END
    except RecursionError:
        return False
    return False


class LineFile:
    """
    A file of lines, opened for reading and appending; made when it is not there.

    With `hold` it is locked until closed, and EvidenceError (`run-live`) is raised when another process holds it.
    """

    def __init__(self, path: Path, *, hold: bool = False) -> None:
        self.path = path
        self._thread = threading.RLock()
        try:
            self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW, 0o644)
        except OSError as err:
            raise self._trouble("cannot be opened", err) from err
        self.held = False
        if hold:
            self._hold()

    def _hold(self) -> None:
        # Whoever only looks whether a run lives has the lock for a moment (see `folder.condition`).
        for pause_s in (0.01, 0.05, 0.2, 0.5, None):
            try:
                fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as err:
                if pause_s is None:
                    self.close()
                    raise EvidenceError(
                        f"{self.path} is being written by another process",
                        hint="Wait for that run to end, or look at `playbook ps`.",
                        code="run-live",
                    ) from err
                time.sleep(pause_s)
            else:
                self.held = True
                return

    def close(self) -> None:
        """
        Close the file, which releases the lock.
        """
        if self._fd >= 0:
            os.close(self._fd)
            self._fd, self.held = -1, False

    @contextmanager
    def locked(self) -> Iterator[None]:
        """
        Be the only one who writes, among threads and processes.
        """
        with self._thread:
            if self._fd < 0:
                raise EvidenceError(
                    f"{self.path} is closed", hint="The run has ended; begin another.", code="log-closed"
                )
            if self.held:
                yield
                return
            fcntl.flock(self._fd, fcntl.LOCK_EX)
            try:
                yield
            finally:
                fcntl.flock(self._fd, fcntl.LOCK_UN)

    def replaced(self) -> bool:
        """
        Say whether another file stands at the path by now. Read-only.
        """
        try:
            there = self.path.stat(follow_symlinks=False)
        except FileNotFoundError:
            return True
        ours = os.fstat(self._fd)
        return (there.st_dev, there.st_ino) != (ours.st_dev, ours.st_ino)

    def size(self) -> int:
        """
        Size in bytes.
        """
        return os.fstat(self._fd).st_size

    def read(self, offset: int = 0) -> bytes:
        """
        Read from `offset` to the end.
        """
        chunks = []
        while chunk := os.pread(self._fd, 1 << 20, offset):
            chunks.append(chunk)
            offset += len(chunk)
        return b"".join(chunks)

    def append(self, data: bytes) -> None:
        """
        Write and sync; call it inside `locked`.

        What did not fit is taken back, so that the file ends with a whole line. Raises EvidenceError (`disk-full`,
        `log-unwritable`).
        """
        before = self.size()
        try:
            rest = memoryview(data)
            while rest:
                rest = rest[os.write(self._fd, rest) :]
            os.fsync(self._fd)
        except OSError as err:
            self.cut(before)
            raise self._trouble("cannot be written", err) from err

    def cut(self, size: int) -> None:
        """
        Take back everything behind `size`; call it inside `locked`.
        """
        try:
            os.ftruncate(self._fd, size)
            os.fsync(self._fd)
        except OSError as err:
            raise self._trouble("cannot be cut back to its last whole line", err) from err

    def _trouble(self, what: str, err: OSError) -> EvidenceError:
        full = err.errno in DISK_FULL
        return EvidenceError(
            f"{self.path} {what}: {err.strerror}",
            hint="Free space on that disk, or put the evidence elsewhere: --evidence DIR."
            if full
            else "Look at the owner and the permissions of that folder, or name another: --evidence DIR.",
            code="disk-full" if full else "log-unwritable",
        )
