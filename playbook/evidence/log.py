"""
Owns appending to events.jsonl: one chained event a line, locked, synced, and whole whatever happens.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from playbook.errors import EvidenceError
from playbook.evidence.chain import Chain, Entry, chain_event, read_chain, read_entry
from playbook.evidence.events import Event, Interrupted, Note, RunEnded, RunStarted
from playbook.evidence.lines import LineFile, is_torn

__all__ = ["EventLog"]


class EventLog:
    """
    The log of one run.

    With `hold` the lock is kept until `close`: this process is the run's writer, and by the lock others see that it
    lives (EvidenceError `run-live` when there is one already). Without, the lock is taken for each event.
    """

    def __init__(self, path: Path, *, clock: Callable[[], datetime], hold: bool = False) -> None:
        self._clock = clock
        self._file = LineFile(path, hold=hold)
        # A list, for a tuple would be copied for each of ten thousand events.
        self._entries: list[Entry] = []
        self._tail = b""
        self._size = 0
        try:
            with self._file.locked():
                self._catch_up()
        except EvidenceError:
            self._file.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def path(self) -> Path:
        """
        Where the log lies.
        """
        return self._file.path

    def entries(self) -> tuple[Entry, ...]:
        """
        Read all events so far, also those that other processes wrote. Read-only.
        """
        with self._file.locked():
            self._catch_up()
            return tuple(self._entries)

    def since(self, seq: int) -> tuple[Entry, ...]:
        """
        Read the events from number `seq` on, also those that other processes wrote. Read-only.
        """
        with self._file.locked():
            self._catch_up()
            return tuple(self._entries[seq:])

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """
        Keep every other writer out for a while.
        """
        with self._file.locked():
            yield

    def append(self, event: Event) -> Entry:
        """
        Chain, write and sync one event; return it as stored.

        Raises EvidenceError like `append_all`.
        """
        return self.append_all((event,))[0]

    def append_all(self, events: Sequence[Event]) -> tuple[Entry, ...]:
        """
        Chain, write and sync events in one stroke; return them as stored. All of them are written, or none.

        A line that a dead writer left unfinished is cut first, when it provably is one, and a note says so. Raises
        EvidenceError: `disk-full`, `log-unwritable`, `log-tail`, `log-shrunk`, `log-replaced`, `run-ended`,
        `run-not-started`, `json-inexact`.
        """
        with self._file.locked():
            self._catch_up()
            self._admit(events)
            cut = self._mend()
            self._admit(events)
            if cut and self._entries:
                note = Note(text=f"A line that was never finished was cut off: {cut} bytes.", data={"bytes": cut})
                self._write((note,))
            return self._write(events)

    def close(self) -> None:
        """
        Close the log and release its lock.
        """
        self._file.close()

    def _write(self, events: Sequence[Event]) -> tuple[Entry, ...]:
        head, written, lines = self._head(), [], []
        for seq, event in enumerate(events, start=len(self._entries)):
            line = chain_event(event, seq=seq, prev=head, time=self._clock())
            entry = read_entry(line[:-1], seq=seq, prev=head)
            written.append(entry)
            lines.append(line)
            head = entry.hash
        data = b"".join(lines)
        self._file.append(data)
        self._entries += written
        self._size += len(data)
        return tuple(written)

    def _catch_up(self) -> None:
        if self._file.replaced():
            raise self._refused("was replaced by another file while it was open", "log-replaced")
        size = self._file.size()
        whole = self._size - len(self._tail)
        if size < self._size:
            raise self._refused("is shorter than it was", "log-shrunk")
        if size != self._size:
            chain = read_chain(
                self._file.read(whole), source=str(self.path), after=Chain(tuple(self._entries), self._tail)
            )
            self._entries, self._tail = list(chain.entries), chain.tail
            self._size = size

    def _head(self) -> str:
        return Chain(tuple(self._entries[-1:])).head

    def _admit(self, events: Sequence[Event]) -> None:
        last = self._entries[-1].event if self._entries else None
        for event in events:
            if last is None and not isinstance(event, RunStarted):
                raise self._refused(f"is empty, so {event.type} cannot be its first event", "run-not-started")
            if last is not None and isinstance(event, RunStarted):
                raise self._refused("has begun already", "run-not-started")
            if isinstance(last, RunEnded | Interrupted):
                raise self._refused(f"has ended; {event.type} comes too late", "run-ended")
            last = event

    def _mend(self) -> int:
        """
        Finish or cut an unfinished last line; return how many bytes were cut.
        """
        tail = self._tail
        if not tail:
            return 0
        try:
            entry = read_entry(tail, seq=len(self._entries), prev=self._head())
        except EvidenceError as err:
            if not is_torn(tail):
                raise self._refused(
                    f"ends with {len(tail)} bytes that are no unfinished event ({err.message})", "log-tail"
                ) from err
            self._file.cut(self._size - len(tail))
            self._size -= len(tail)
            self._tail = b""
            return len(tail)
        self._file.append(b"\n")
        self._size += 1
        self._entries.append(entry)
        self._tail = b""
        return 0

    def _refused(self, problem: str, code: str) -> EvidenceError:
        return EvidenceError(f"{self.path} {problem}", hint="Leave this run as it is and begin another one.", code=code)
