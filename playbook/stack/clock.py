"""
Owns a clock that can be moved for an app and its store together (libfaketime).

Their monotonic clocks stay true, so that timeouts and event loops go on; PostgreSQL's clock stays true too. Both
programs read the offset from a file each time they ask for the time.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping

from playbook.errors import InputError
from playbook.stack.ground import Ground

__all__ = ["LITTER", "LocalClock"]

LITTER = ("/dev/shm/sem.faketime_sem_{pid}", "/dev/shm/faketime_shm_{pid}")  # noqa: S108 (the library's own names)
"""What the library leaves in shared memory when its process is killed."""


class LocalClock:
    """
    The clock of one scratch: of all programs that are started with its environment.
    """

    def __init__(self, ground: Ground, name: str) -> None:
        self._ground = ground
        self._name = name
        self._offset_s = 0.0
        self.folder = ground.workplace(f"clock-{name}")
        self._file = self.folder / "offset"
        self._write()

    @property
    def offset_s(self) -> float:
        """How far it is ahead of the true time, in seconds."""
        return self._offset_s

    @property
    def litter(self) -> tuple[str, ...]:
        """What a killed process of this clock leaves behind."""
        return LITTER

    @property
    def environment(self) -> Mapping[str, str]:
        """What makes a program live by this clock."""
        library = self._ground.record().programs["clock"].path
        return {
            # A list that may be separated by spaces (ld.so(8)), which a folder's name may hold: hence the bare name.
            "LD_PRELOAD": library.name,
            "LD_LIBRARY_PATH": str(library.parent),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "DONT_FAKE_MONOTONIC": "1",
            # Else its guess about the C library can make each timed wait end at once: threads then spin (measured: 12
            # times the wall time).
            "FAKETIME_FORCE_MONOTONIC_FIX": "0",
        }

    def advance(self, seconds: float) -> None:
        """
        Move the clock forward. Raises InputError for a move backwards.
        """
        if seconds < 0:
            raise InputError(f"The clock cannot be moved by {seconds} s", hint="It moves forward only.")
        self._offset_s += seconds
        self._write()

    def close(self) -> None:
        """
        Remove the clock's folder.
        """
        shutil.rmtree(self.folder, ignore_errors=True)

    def _write(self) -> None:
        draft = self._file.with_name(f"{self._file.name}.draft")
        draft.write_text(f"{self._offset_s:+.3f}\n", encoding="ascii")
        draft.chmod(0o644)
        draft.replace(self._file)
