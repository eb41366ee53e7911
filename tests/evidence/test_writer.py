from __future__ import annotations

import json
import multiprocessing
import secrets
import shutil
import socket
import stat
import threading
import time
from multiprocessing import AuthenticationError
from multiprocessing.connection import Client
from pathlib import Path
from typing import Any

import pytest

from playbook.errors import EvidenceError
from playbook.evidence.client import DirectEmitter, SocketEmitter, emit_check
from playbook.evidence.events import Note, RunEnded
from playbook.evidence.log import EventLog
from playbook.evidence.redact import MARK, Redactor
from playbook.evidence.run import read_run
from playbook.evidence.writer import Writer

pytestmark = pytest.mark.unit


@pytest.fixture
def direct(tmp_path: Path, clock: Any, book: Any) -> Any:
    with EventLog(tmp_path / "events.jsonl", clock=clock, hold=True) as log:
        emitter = DirectEmitter(log, Redactor())
        emitter.emit(book.started())
        emitter.emit(book.opened())
        yield emitter


@pytest.fixture
def writer(direct: DirectEmitter) -> Any:
    with Writer(direct) as writer:
        yield writer


@pytest.fixture
def kernel(writer: Writer) -> Any:
    emitter = SocketEmitter.from_environ(writer.environment)
    assert emitter is not None
    yield emitter
    emitter.close()


def raw(writer: Writer, message: bytes) -> dict:
    with Client(writer.address, family="AF_UNIX", authkey=writer._authkey) as connection:
        connection.send_bytes(message)
        return json.loads(connection.recv_bytes())


class TestAcknowledging:
    """
    A kernel gets back what is on disk, decided after redaction.
    """

    def test_event_is_on_disk_when_acknowledged(self, kernel: SocketEmitter, direct: DirectEmitter) -> None:
        entry = kernel.emit(Note(text="here"))
        assert entry.hash.encode() in direct.log.path.read_bytes()
        assert entry == direct.log.entries()[-1]

    def test_secret_made_later_is_gone(self, kernel: SocketEmitter, direct: DirectEmitter, book: Any) -> None:
        secret = secrets.token_urlsafe(12)
        kernel.protect([secret])
        stored = emit_check(kernel, book.failed(reason=f"saw {secret}").result)
        assert stored.reason == f"saw {MARK}"
        assert stored.outcome == "fail"

    def test_attachment_is_redacted_and_chained(
        self, kernel: SocketEmitter, direct: DirectEmitter, tmp_path: Path
    ) -> None:
        kernel.protect(["tulip-4711"])
        path = kernel.attach("plan.txt", b"password is tulip-4711\n")
        assert (tmp_path / path).read_bytes() == b"password is [redacted]\n"
        assert direct.log.entries()[-1].event.path == path
        assert kernel.attach("plan.txt", b"password is tulip-4711\n") == path

    def test_decision_that_rests_on_redaction_is_none(self, kernel: SocketEmitter, book: Any) -> None:
        kernel.protect(["tulip-4711", "daisy-0815"])
        values = {"operator": "ne", "expected": "tulip-4711", "actual": "daisy-0815"}
        stored = emit_check(kernel, book.result(**values))
        assert (stored.outcome, stored.code) == ("error", "inconclusive")

    def test_a_password_that_is_a_word_of_ours_leaves_the_words(self, kernel: SocketEmitter, book: Any) -> None:
        kernel.protect(["hardened", "survived", "critical"])
        stored = emit_check(kernel, book.result(severity="critical", title="hardened now"))
        assert (stored.state, stored.severity, stored.title) == ("hardened", "critical", f"{MARK} now")

    def test_secret_in_an_identifier_is_refused(self, kernel: SocketEmitter, direct: DirectEmitter, book: Any) -> None:
        kernel.protect(["cross-tenant"])
        before = direct.log.path.read_bytes()
        with pytest.raises(EvidenceError) as refused:
            emit_check(kernel, book.result())
        assert refused.value.code == "redaction-structural"
        assert "cross-tenant" not in refused.value.message
        assert direct.log.path.read_bytes() == before


class TestRefusing:
    """
    What is malformed, or not a kernel's to say, is answered with a reason and changes nothing.
    """

    @pytest.mark.parametrize(
        "message",
        [
            b"",
            b"\x80\x04]\x94.",
            b"[]",
            b'{"op":"emit"}',
            b'{"op":"emit","event":{"type":"note"}}',
            b'{"op":"emit","event":{"type":"note","text":"a","text":"b"}}',
            b'{"op":"emit","event":{"type":"note","text":"a","seq":7}}',
            b'{"op":"emit","event":{"type":"note","text":"a","data":{"x":NaN}}}',
            b'{"op":"emit","event":{"type":"run-ended"}}',
            b'{"op":"emit","event":{"type":"note","phase":"40","text":"of a phase that does not run"}}',
            b'{"op":"attach","name":"../x","base64":""}',
            b'{"op":"attach","name":"x","base64":"%%"}',
            b'{"op":"protect","secrets":[1]}',
            b'{"op":"rm"}',
        ],
    )
    def test_malformed(self, writer: Writer, direct: DirectEmitter, message: bytes) -> None:
        before = direct.log.path.read_bytes()
        answer = raw(writer, message)
        assert answer["ok"] is False
        assert answer["reason"]
        assert direct.log.path.read_bytes() == before

    def test_flipped_outcome(self, writer: Writer, book: Any) -> None:
        event = json.loads(book.failed().model_dump_json())
        event["result"]["outcome"] = "pass"
        answer = raw(writer, json.dumps({"op": "emit", "event": event}).encode())
        assert "contradicts" in answer["reason"]

    def test_waived_result(self, kernel: SocketEmitter, book: Any) -> None:
        event = book.check().model_copy(update={"result": book.result(outcome="waived", reason="me")})
        with pytest.raises(EvidenceError, match="cannot waive itself"):
            kernel.emit(event)

    def test_wrong_key(self, writer: Writer) -> None:
        with pytest.raises(EvidenceError) as refused:
            SocketEmitter(writer.address, b"wrong")
        assert refused.value.code == "writer-gone"
        with pytest.raises(AuthenticationError):
            Client(writer.address, family="AF_UNIX", authkey=b"other")

    def test_mute_client_keeps_nobody_out(self, writer: Writer) -> None:
        with socket.socket(socket.AF_UNIX) as mute:
            mute.connect(writer.address)
            kernel = SocketEmitter.from_environ(writer.environment)
            kernel.emit(Note(text="still heard"))
            kernel.close()

    def test_writer_that_went_away_is_told(self, direct: DirectEmitter) -> None:
        with Writer(direct) as writer:
            kernel = SocketEmitter.from_environ(writer.environment)
        with pytest.raises(EvidenceError) as refused:
            kernel.emit(Note(text="x"))
        assert refused.value.code == "writer-gone"
        assert not Path(writer.address).parent.exists()

    def test_folder_that_somebody_removed_first(self, direct: DirectEmitter, tmp_path: Path) -> None:
        room = tmp_path / "room"
        room.mkdir()
        with Writer(direct, room=room) as writer:
            shutil.rmtree(room)
            begun = time.monotonic()
        assert time.monotonic() - begun < 2, "it waited for a thread that nobody could wake"
        assert not Path(writer.address).exists()

    def test_socket_is_private(self, writer: Writer) -> None:
        assert stat.S_IMODE(Path(writer.address).parent.stat().st_mode) == 0o700


def speak(environment: dict[str, str], number: int, start: Any) -> None:
    kernel = SocketEmitter.from_environ(environment)
    start.wait()
    for turn in range(10):
        kernel.emit(Note(text=f"{number}.{turn}"))
    kernel.close()


class TestManyKernels:
    """
    Events of several processes and threads end in one chain, none lost, each speaker's in order.
    """

    def test_processes_and_threads(self, writer: Writer, direct: DirectEmitter) -> None:
        context = multiprocessing.get_context("spawn")
        start = context.Event()
        speakers = [context.Process(target=speak, args=(writer.environment, n, start)) for n in range(2)]
        speakers += [threading.Thread(target=speak, args=(writer.environment, n, start)) for n in range(2, 5)]
        for speaker in speakers:
            speaker.start()
        start.set()
        for speaker in speakers:
            speaker.join(timeout=60)
        texts = [entry.event.text for entry in direct.log.entries() if isinstance(entry.event, Note)]
        assert len(texts) == 50
        for number in range(5):
            assert [t for t in texts if t.startswith(f"{number}.")] == [f"{number}.{turn}" for turn in range(10)]


class TestCanarySecret:
    """
    A secret that passes through every field of every event, and through files, is nowhere in the run folder.
    """

    def test_nowhere(self, kernel: SocketEmitter, direct: DirectEmitter, book: Any, tmp_path: Path) -> None:
        canary = f"CANARY/{secrets.token_hex(8)}+ü"
        kernel.protect([canary])
        direct.emit(book.closed(reason=canary))
        direct.emit(book.opened(parameters={"dsn": canary, canary: [canary]}))
        emit_check(
            kernel,
            book.failed(
                title=canary,
                subject=canary,
                expected=[canary],
                actual={"rows": [canary]},
                reason=canary,
                remedy=json.dumps(canary),
                population=(canary,),
                tested=(canary,),
                observations=({"role": canary, "query": canary, "request": canary, "value": {canary: canary}},),
            ).result,
        )
        kernel.emit(book.kill(reason=canary, protection=canary, mechanism=canary, subject=canary, sabotage=canary))
        kernel.emit(Note(text=canary, data={"x": canary}))
        notebook = json.dumps({"cells": [{"outputs": [{"text": ["a\n", f"see {canary}\n"]}]}]}).encode()
        for name, content in {
            "a.txt": canary.encode(),
            "b.ipynb": notebook,
            "c.bin": b"\xff" + canary.encode(),
        }.items():
            kernel.attach(name, content)
        direct.emit(RunEnded(errors=(canary,)))
        read_run(tmp_path)
        for file in tmp_path.rglob("*"):
            if file.is_file():
                assert b"CANARY" not in file.read_bytes(), file
                assert canary.encode().hex().encode() not in file.read_bytes()
