"""
Owns how results reach the log: straight into the file, or over the local socket of the run's one writer.
"""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterable, Mapping, Sequence
from multiprocessing import AuthenticationError
from multiprocessing.connection import Client as open_connection  # noqa: N813 (it is a function)
from multiprocessing.connection import Connection, answer_challenge, deliver_challenge
from pathlib import Path
from typing import Protocol

from pydantic import JsonValue

from playbook.errors import EvidenceError
from playbook.evidence.attachments import store_attachment
from playbook.evidence.canonical import read_json
from playbook.evidence.chain import Entry, restore_entry
from playbook.evidence.events import EVENT, CheckDone, Event
from playbook.evidence.log import EventLog
from playbook.evidence.redact import Redactor
from playbook.evidence.result import CheckResult
from playbook.evidence.settle import settle

__all__ = ["ADDRESS_VARIABLE", "KEY_VARIABLE", "DirectEmitter", "Emitter", "SocketEmitter", "emit_check"]

ADDRESS_VARIABLE = "PLAYBOOK_WRITER"
KEY_VARIABLE = "PLAYBOOK_WRITER_KEY"
LARGEST_MESSAGE = 96 * 1024 * 1024
LARGEST_ATTACHMENT = 64 * 1024 * 1024


class Emitter(Protocol):
    """
    What a session writes evidence with.
    """

    def emit(self, event: Event) -> Entry:
        """Store one event, redacted; return it as stored."""
        ...

    def emit_all(self, events: Sequence[Event]) -> None:
        """Store events in one stroke, redacted: all of them, or none."""
        ...

    def attach(self, name: str, content: bytes | Path) -> str:
        """Store a file, redacted; return its path within the run folder."""
        ...

    def protect(self, secrets: Iterable[str]) -> None:
        """Make secrets known, so that no later event or file holds them."""
        ...


def emit_check(emitter: Emitter, result: CheckResult) -> CheckResult:
    """
    Store a result; return it as stored, with its outcome decided after redaction.
    """
    stored = emitter.emit(CheckDone(result=result)).event
    assert isinstance(stored, CheckDone)
    return stored.result


class DirectEmitter:
    """
    Writes into the log itself: in the runner, in an interactive kernel and under plain papermill.
    """

    def __init__(self, log: EventLog, redactor: Redactor) -> None:
        self.log = log
        self.redactor = redactor

    def emit(self, event: Event) -> Entry:
        """
        Redact, chain and sync one event.
        """
        return self.log.append(settle(event, self.redactor))

    def emit_all(self, events: Sequence[Event]) -> None:
        """
        Redact and chain events, and sync them together.
        """
        self.log.append_all([settle(event, self.redactor) for event in events])

    def attach(self, name: str, content: bytes | Path) -> str:
        """
        Store a file and chain its digest.
        """
        data = _content(content)
        stored = store_attachment(self.log.path.parent, name, self.redactor.content(data, name=name))
        self.log.append(stored)
        return stored.path

    def protect(self, secrets: Iterable[str]) -> None:
        """
        Make secrets known to this process.
        """
        self.redactor.add(secrets)


class SocketEmitter:
    """
    Speaks to the writer of a batch run; each call waits until the event is on disk.
    """

    def __init__(self, address: str, authkey: bytes) -> None:
        self._lock = threading.Lock()
        try:
            self._connection: Connection = open_connection(address, family="AF_UNIX")
            answer_challenge(self._connection, authkey)
            deliver_challenge(self._connection, authkey)
        except (OSError, EOFError, AuthenticationError) as err:
            raise _gone(f"cannot be reached at {address}: {err}") from err

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> SocketEmitter | None:
        """
        Connect to the writer that the environment names; None when it names none.

        Raises EvidenceError (`writer-gone`) when it is not there.
        """
        address = environ.get(ADDRESS_VARIABLE)
        if not address:
            return None
        try:
            key = bytes.fromhex(environ.get(KEY_VARIABLE, ""))
        except ValueError as err:
            raise _gone(f"has a malformed {KEY_VARIABLE}") from err
        return cls(address, key)

    def emit(self, event: Event) -> Entry:
        """
        Send one event; return it as stored.
        """
        answer = self._ask({"op": "emit", "event": EVENT.dump_python(event, mode="json")})
        return restore_entry(answer["entry"])

    def emit_all(self, events: Sequence[Event]) -> None:
        """
        Send events whose stored form nobody here looks at.
        """
        self._ask({"op": "emit-all", "events": [EVENT.dump_python(event, mode="json") for event in events]})

    def attach(self, name: str, content: bytes | Path) -> str:
        """
        Send a file's content.
        """
        data = _content(content)
        return str(self._ask({"op": "attach", "name": name, "base64": base64.b64encode(data).decode()})["path"])

    def protect(self, secrets: Iterable[str]) -> None:
        """
        Tell the writer of secrets; they are not stored.
        """
        self._ask({"op": "protect", "secrets": list(secrets)})

    def close(self) -> None:
        """
        Hang up.
        """
        self._connection.close()

    def _ask(self, message: dict[str, JsonValue]) -> dict[str, JsonValue]:
        try:
            data = json.dumps(message, allow_nan=False).encode()
            with self._lock:
                self._connection.send_bytes(data)
                answer = read_json(self._connection.recv_bytes(LARGEST_MESSAGE), source="the writer's answer")
        except ValueError as err:
            raise EvidenceError(f"the event is not JSON: {err}", hint="Store it as text.", code="json-inexact") from err
        except (OSError, EOFError) as err:
            raise _gone(f"is gone: {type(err).__name__}: {err}") from err
        if not isinstance(answer, dict):
            raise _gone("answered nonsense")
        if answer.get("ok") is not True:
            raise EvidenceError(
                f"the writer refused: {answer.get('reason')}",
                hint=str(answer.get("hint", "")),
                code=str(answer.get("code", "message-refused")),
            )
        return answer


def _content(content: bytes | Path) -> bytes:
    if isinstance(content, Path):
        if content.stat().st_size > LARGEST_ATTACHMENT:
            raise _too_large(content.stat().st_size)
        content = content.read_bytes()
    if len(content) > LARGEST_ATTACHMENT:
        raise _too_large(len(content))
    return content


def _too_large(size: int) -> EvidenceError:
    return EvidenceError(
        f"an attachment of {size} bytes is too large",
        hint=f"Keep it under {LARGEST_ATTACHMENT} bytes: attach a summary and a digest.",
        code="attachment-size",
    )


def _gone(what: str) -> EvidenceError:
    return EvidenceError(
        f"the run's writer {what}",
        hint="The run has ended or was killed; look at it with `playbook verify`, and run again.",
        code="writer-gone",
    )
