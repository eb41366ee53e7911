"""
Owns the run's one writer: a thread of the runner that listens on a local socket and is alone in touching the log.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import os
import secrets
import shutil
import socket
import tempfile
import threading
from collections.abc import Callable
from multiprocessing import AuthenticationError
from multiprocessing.connection import Connection, Listener, answer_challenge, deliver_challenge
from pathlib import Path
from types import TracebackType
from typing import Self

from pydantic import JsonValue, ValidationError

from playbook.errors import EvidenceError
from playbook.evidence.canonical import canonical, read_json
from playbook.evidence.chain import entry_value
from playbook.evidence.client import ADDRESS_VARIABLE, KEY_VARIABLE, LARGEST_MESSAGE, DirectEmitter
from playbook.evidence.events import EVENT, Event, PhaseEnded, PhaseStarted

__all__ = ["FROM_KERNELS", "Writer"]

FROM_KERNELS = frozenset({"check", "kill", "smoke", "note"})
"""What a notebook's kernel may say; how phases and the run begin and end is the runner's to say."""

_LONGEST_ADDRESS = 100
_SEND = (
    "Send {op: emit, event}, {op: emit-all, events}, {op: attach, name, base64} or {op: protect, secrets}, as one JSON"
    " object."
)


class Writer:
    """
    Serves kernels over a socket in a private folder; `emitter` is the same way in for the runner itself.

    Messages are JSON, never pickle. A malformed one is answered with its reason and changes nothing. `room` is where
    the socket's folder goes: one that somebody else removes should this process be killed.
    """

    def __init__(self, emitter: DirectEmitter, *, authkey: bytes | None = None, room: Path | None = None) -> None:
        self.emitter = emitter
        self._authkey = authkey or secrets.token_bytes(32)
        self._folder = _private_folder(room)
        self.address = str(self._folder / "writer")
        self._listener = Listener(self.address, family="AF_UNIX", backlog=16)
        self._closing = threading.Event()
        self._connections: set[Connection] = set()
        self._guard = threading.Lock()
        self._running: set[str] = set()
        self._read = 0
        self._thread = threading.Thread(target=self._serve, name="evidence-writer", daemon=True)
        emitter.redactor.add([self._authkey.hex()])

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def environment(self) -> dict[str, str]:
        """
        What a kernel needs in its environment to reach this writer.
        """
        return {ADDRESS_VARIABLE: self.address, KEY_VARIABLE: self._authkey.hex()}

    def close(self) -> None:
        """
        Stop listening, hang up on all kernels, remove the socket's folder. The log stays open.

        A stack that does not come up takes its folder away, and with it a socket that lies there; that is no error.
        """
        if self._closing.is_set():
            return
        self._closing.set()
        # Without its socket the thread cannot be woken, and nobody reaches it any more: it ends with the process.
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as wake:
            wake.connect(self.address)
            if self._thread.is_alive():
                self._thread.join(timeout=5)
        with contextlib.suppress(FileNotFoundError):
            self._listener.close()
        with self._guard:
            for connection in self._connections:
                _hang_up(connection)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _serve(self) -> None:
        while not self._closing.is_set():
            try:
                connection = self._listener.accept()
            except OSError:
                continue
            if self._closing.is_set():
                connection.close()
                return
            with self._guard:
                self._connections.add(connection)
            threading.Thread(target=self._attend, args=(connection,), name="evidence-kernel", daemon=True).start()

    def _attend(self, connection: Connection) -> None:
        # The handshake is here and not in accept(), so that one mute client cannot shut out the others.
        try:
            deliver_challenge(connection, self._authkey)
            answer_challenge(connection, self._authkey)
            while True:
                connection.send_bytes(canonical(self._answer(connection.recv_bytes(LARGEST_MESSAGE))))
        except (EOFError, OSError, AuthenticationError):
            return
        finally:
            with self._guard:
                self._connections.discard(connection)
            connection.close()

    def _answer(self, data: bytes) -> dict[str, JsonValue]:
        try:
            return {"ok": True, **self._act(data)}
        except EvidenceError as err:
            return {"ok": False, "reason": self.emitter.redactor.text(err.message), "hint": err.hint, "code": err.code}

    def _act(self, data: bytes) -> dict[str, JsonValue]:
        match read_message(data):
            case {"op": "emit", "event": dict() as body, **rest} if not rest:
                return {"entry": entry_value(self.emitter.emit(self._admitted(body)))}
            case {"op": "emit-all", "events": list() as bodies, **rest} if not rest:
                self.emitter.emit_all([self._admitted(body) for body in bodies])
                return {}
            case {"op": "attach", "name": str() as name, "base64": str() as text, **rest} if not rest:
                try:
                    content = base64.b64decode(text, validate=True)
                except binascii.Error as err:
                    raise _refused(f"base64 does not decode: {err}") from err
                return {"path": self.emitter.attach(name, content)}
            case {"op": "protect", "secrets": list() as values, **rest} if not rest:
                if not all(isinstance(value, str) for value in values):
                    raise _refused("secrets must be strings")
                self.emitter.protect([value for value in values if isinstance(value, str)])
                return {}
        raise _refused("the message has another form")

    def _admitted(self, body: JsonValue) -> Event:
        try:
            event = EVENT.validate_python(body)
        except ValidationError as err:
            problems = "; ".join(
                f"{'.'.join(str(part) for part in one['loc'])}: {one['msg']}"
                for one in err.errors(include_url=False, include_input=False)[:3]
            )
            raise _refused(f"the event is not valid: {problems}") from err
        if event.type not in FROM_KERNELS:
            raise _refused(f"a kernel may not say {event.type!r}")
        phase = event.result.phase if event.type == "check" else getattr(event, "phase", None)
        if phase is not None and phase not in self._open_phases():
            raise _refused(f"phase {phase} is not running")
        return event

    def _open_phases(self) -> frozenset[str]:
        """
        Name the phases that run; what was read of the log once is not read again for each of ten thousand results.
        """
        with self._guard:
            fresh = self.emitter.log.since(self._read)
            for entry in fresh:
                if isinstance(entry.event, PhaseStarted):
                    self._running.add(entry.event.plan.id)
                elif isinstance(entry.event, PhaseEnded):
                    self._running.discard(entry.event.phase)
            self._read += len(fresh)
            return frozenset(self._running)


def read_message(data: bytes) -> JsonValue:
    """
    Read a kernel's message strictly.
    """
    try:
        return read_json(data, source="the message")
    except EvidenceError as err:
        raise _refused(err.message) from err


def _private_folder(room: Path | None, make: Callable[..., str] = tempfile.mkdtemp) -> Path:
    """
    Make a folder of ours alone (0700), in the room given, short enough for a socket's address (107 bytes on Linux).
    """
    folder = make(prefix="pb-", dir=room)
    if len(os.fsencode(folder)) + len("/writer") > _LONGEST_ADDRESS:
        Path(folder).rmdir()
        folder = make(prefix="pb-", dir="/tmp")  # noqa: S108 (mkdtemp makes it private)
    return Path(folder)


def _hang_up(connection: Connection) -> None:
    # close() alone does not wake the thread that waits in recv.
    with contextlib.suppress(OSError), socket.socket(fileno=os.dup(connection.fileno())) as handle:
        handle.shutdown(socket.SHUT_RDWR)


def _refused(reason: str) -> EvidenceError:
    return EvidenceError(reason, hint=_SEND, code="message-refused")
