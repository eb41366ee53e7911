from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playbook.errors import EvidenceError
from playbook.evidence.chain import FIRST, chain_event, read_chain
from playbook.evidence.events import Note, RunEnded, RunStarted
from playbook.evidence.lines import is_torn
from playbook.evidence.log import EventLog

pytestmark = pytest.mark.unit


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "events.jsonl"


@pytest.fixture
def begun(path: Path, book: Any, clock: Any) -> Path:
    with EventLog(path, clock=clock) as log:
        log.append(book.started())
        log.append(Note(text="first ‖ ünïcode"))
    return path


def refusal(path: Path, clock: Any, event: Any = None) -> str:
    with pytest.raises(EvidenceError) as refused, EventLog(path, clock=clock) as log:
        log.append(event or Note(text="next"))
    return refused.value.code


class TestAppending:
    """
    Each event follows the one before, and only a run's events in a run's order are taken.
    """

    def test_chain_begins_with_zeros_and_follows(self, begun: Path) -> None:
        entries = read_chain(begun.read_bytes()).entries
        assert entries[0].prev == FIRST
        assert [entry.seq for entry in entries] == [0, 1]
        assert entries[1].prev == entries[0].hash

    def test_first_event_starts_the_run(self, path: Path, clock: Any) -> None:
        assert refusal(path, clock) == "run-not-started"

    def test_run_starts_once(self, begun: Path, clock: Any, book: Any) -> None:
        assert refusal(begun, clock, book.started()) == "run-not-started"

    def test_nothing_follows_the_end(self, begun: Path, clock: Any) -> None:
        with EventLog(begun, clock=clock) as log:
            log.append(RunEnded())
        assert refusal(begun, clock) == "run-ended"

    def test_two_writers_share_a_log_without_gaps(self, begun: Path, clock: Any) -> None:
        logs = [EventLog(begun, clock=clock) for _ in range(3)]

        def speak(log: EventLog) -> None:
            for number in range(15):
                log.append(Note(text=str(number)))

        threads = [threading.Thread(target=speak, args=(log,)) for log in logs]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for log in logs:
            log.close()
        assert len(read_chain(begun.read_bytes()).entries) == 2 + 45

    def test_held_log_keeps_others_out(self, begun: Path, clock: Any) -> None:
        with EventLog(begun, clock=clock, hold=True):
            with pytest.raises(EvidenceError) as refused:
                EventLog(begun, clock=clock, hold=True)
            assert refused.value.code == "run-live"
        EventLog(begun, clock=clock, hold=True).close()

    def test_a_log_put_in_its_place_is_noticed(self, begun: Path, clock: Any) -> None:
        with EventLog(begun, clock=clock) as log:
            data = begun.read_bytes()
            begun.unlink()
            begun.write_bytes(data)
            with pytest.raises(EvidenceError) as refused:
                log.append(Note(text="x"))
        assert refused.value.code == "log-replaced"

    @settings(max_examples=25, deadline=None)
    @given(texts=st.lists(st.text(max_size=20), max_size=5), flip=st.integers(0, 10**6), bit=st.integers(0, 7))
    def test_one_changed_bit_anywhere_is_noticed(self, book: Any, texts: list[str], flip: int, bit: int) -> None:
        lines, prev = b"", FIRST
        for seq, event in enumerate([book.started(), *(Note(text=text) for text in texts if text.isprintable())]):
            line = chain_event(event, seq=seq, prev=prev, time=book.started().started)
            prev = read_chain(lines + line).head
            lines += line
        data = bytearray(lines)
        data[flip % len(data)] ^= 1 << bit
        try:
            changed = read_chain(bytes(data))
        except EvidenceError:
            return
        assert changed.tail, "only the last newline may go unnoticed by the chain itself; the tail tells it"


class TestTornTail:
    """
    A line that was never finished is cut when that is provable, and never otherwise.
    """

    @pytest.mark.parametrize("keep", [1, 2, 5, 40, 100, -10, -2])
    def test_a_cut_line_is_taken_off_and_told(self, begun: Path, clock: Any, keep: int) -> None:
        whole = begun.read_bytes()
        last = whole.splitlines(keepends=True)[-1]
        begun.write_bytes(whole + last[:keep])
        assert read_chain(begun.read_bytes()).tail == last[:keep]
        with EventLog(begun, clock=clock) as log:
            log.append(Note(text="on"))
            texts = [entry.event.text for entry in log.entries() if isinstance(entry.event, Note)]
        assert texts[1].startswith("A line that was never finished was cut off")
        assert texts[2] == "on"
        assert begun.read_bytes().startswith(whole)

    def test_every_cut_of_every_line_is_recognised(self, begun: Path) -> None:
        for line in begun.read_bytes().splitlines():
            assert all(is_torn(line[:keep]) for keep in range(len(line)))

    def test_only_the_newline_missing_is_finished(self, begun: Path, clock: Any) -> None:
        whole = begun.read_bytes()
        begun.write_bytes(whole[:-1])
        with EventLog(begun, clock=clock) as log:
            log.append(Note(text="on"))
        assert begun.read_bytes().startswith(whole)

    def test_zeros_after_a_power_cut_are_cut(self, begun: Path, clock: Any) -> None:
        begun.write_bytes(begun.read_bytes() + bytes(300))
        with EventLog(begun, clock=clock) as log:
            log.append(Note(text="on"))
        assert b"\0" not in begun.read_bytes()

    def test_torn_first_line_leaves_an_empty_log(self, path: Path, clock: Any, book: Any) -> None:
        path.write_bytes(b'{"actor":"a')
        with EventLog(path, clock=clock) as log:
            log.append(book.started())
            assert isinstance(log.entries()[0].event, RunStarted)

    @pytest.mark.parametrize("tail", [b"hello", b'{"a":1}', b'{"a":1} and more {"', b"[1"])
    def test_what_is_no_torn_event_is_left_alone(self, begun: Path, clock: Any, tail: bytes) -> None:
        data = begun.read_bytes() + tail
        begun.write_bytes(data)
        assert refusal(begun, clock) == "log-tail"
        assert begun.read_bytes() == data


FULL = """
import resource, sys
from pathlib import Path
from datetime import UTC, datetime
from playbook.errors import EvidenceError
from playbook.evidence.events import Note
from playbook.evidence.log import EventLog
path = Path(sys.argv[1])
log = EventLog(path, clock=lambda: datetime.now(UTC))
size = path.stat().st_size
if sys.argv[2] == "limit":
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 300, size + 300))
try:
    for number in range(100000):
        log.append(Note(text="x" * 150))
except EvidenceError as err:
    print(err.code)
"""


class TestDiskFull:
    """
    When nothing more fits, the error says so and the log ends with a whole event.
    """

    def test_file_size_limit(self, begun: Path) -> None:
        done = subprocess.run([sys.executable, "-c", FULL, begun, "limit"], capture_output=True, text=True, check=False)
        assert done.stdout == "disk-full\n", done.stderr
        chain = read_chain(begun.read_bytes())
        assert (len(chain.entries), chain.tail) == (2, b"")

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small file system")
    def test_full_file_system(self, begun: Path, tmp_path: Path) -> None:
        small = tmp_path / "small"
        small.mkdir()
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", small], capture_output=True, text=True, check=False
        )
        if mounted.returncode:
            pytest.skip(f"tmpfs cannot be mounted here: {mounted.stderr.strip()}")
        try:
            path = small / "events.jsonl"
            path.write_bytes(begun.read_bytes())
            done = subprocess.run([sys.executable, "-c", FULL, path, ""], capture_output=True, text=True, check=False)
            assert done.stdout == "disk-full\n", done.stderr
            chain = read_chain(path.read_bytes())
            assert len(chain.entries) > 50
            assert chain.tail == b""
        finally:
            subprocess.run(["umount", small], check=True)
