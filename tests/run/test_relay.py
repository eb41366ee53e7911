from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest

from playbook.errors import EvidenceError
from playbook.evidence.chain import Entry
from playbook.evidence.events import Event, Note
from playbook.run.relay import Relay

pytestmark = pytest.mark.unit


class Slow:
    """Writes only once it is let, and refuses what is called `bad`."""

    def __init__(self) -> None:
        self.let = threading.Event()
        self.written: list[str] = []

    def emit(self, event: Event) -> Entry:
        raise NotImplementedError

    def emit_all(self, events: Sequence[Event]) -> None:
        assert self.let.wait(timeout=5)
        for event in events:
            assert isinstance(event, Note)
            if event.text == "bad":
                raise EvidenceError("refused", hint="none", code="disk-full")
            self.written.append(event.text)

    def attach(self, name: str, content: bytes | Path) -> str:
        raise NotImplementedError

    def protect(self, secrets: Iterable[str]) -> None:
        raise NotImplementedError


def say(slow: Slow, *words: str) -> None:
    with Relay(slow) as relay:
        for word in words:
            relay.send(Note(text=word))


class TestRelay:
    """Work goes on while evidence is written; when the block is left, all of it is."""

    def test_all_is_written_in_order_when_the_block_is_left(self) -> None:
        slow = Slow()
        with Relay(slow) as relay:
            for number in range(50):
                relay.send(Note(text=str(number)))
            assert slow.written == []
            slow.let.set()
        assert slow.written == [str(number) for number in range(50)]

    def test_a_refusal_is_raised_on_leaving(self) -> None:
        slow = Slow()
        slow.let.set()
        with pytest.raises(EvidenceError, match="refused"):
            say(slow, "bad")

    def test_a_refusal_stops_what_comes_later(self) -> None:
        slow = Slow()
        slow.let.set()
        with pytest.raises(EvidenceError, match="refused"):
            say(slow, "bad", *["good"] * 100_000)
        assert len(slow.written) < 100_000

    def test_an_error_of_the_work_is_the_one_that_is_told(self) -> None:
        slow = Slow()
        slow.let.set()
        with pytest.raises(ValueError, match="validation error"):
            say(slow, "bad", 7)  # type: ignore[arg-type]
