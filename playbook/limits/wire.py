"""
Owns sending requests from a chosen loopback address: one after another on a line, or many at once.

It knows HTTP and time, and nothing of limits.
"""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from pydantic import JsonValue

from playbook.errors import StackError, Unavailable
from playbook.service.connection import Connection

__all__ = ["ANSWER_LIMIT_S", "Answer", "Line", "Request", "send_volley"]

ANSWER_LIMIT_S = 3.0
_SERVER_ERROR = 500
_NO_ADDRESS = (99, 49)
"""EADDRNOTAVAIL on Linux and on macOS."""


@dataclass(frozen=True, slots=True)
class Request:
    """
    One request; the body is JSON, or none.
    """

    method: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: JsonValue = None
    has_body: bool = False

    @property
    def content(self) -> bytes | None:
        """The body's bytes."""
        return json.dumps(self.body).encode() if self.has_body else None

    @property
    def all_headers(self) -> dict[str, str]:
        """The headers with the body's type."""
        return {**({"Content-Type": "application/json"} if self.has_body else {}), **self.headers}


@dataclass(frozen=True, slots=True)
class Answer:
    """
    What came back: status (0: nothing, `reason` says why), headers by lower-case name, times in monotonic seconds.
    """

    status: int
    headers: Mapping[str, str]
    sent_s: float
    answered_s: float
    body: bytes = b""
    reason: str = ""


class Line:
    """
    A connection from one address to one server, kept open; a context manager. Opens anew when the server closed it.

    Raises Unavailable when the address cannot be bound here.
    """

    def __init__(self, url: str, source: str, *, limit_s: float = ANSWER_LIMIT_S) -> None:
        self._http = Connection(url, source, limit_s)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def ask(self, request: Request) -> Answer:
        """
        Send a request and wait for its answer.

        A kept line that the server had closed took none of it, so that it is sent on a new one (RFC 9112, 9.3.1).
        """
        kept = self._http.sock is not None
        answer = self._asked(request)
        return self._asked(request) if kept and answer.reason.startswith(BrokenPipeError.__name__) else answer

    def _asked(self, request: Request) -> Answer:
        if self._http.sock is None:
            sent = time.monotonic()
            refused = _connect(self._http)
            if refused:
                return Answer(0, {}, sent, time.monotonic(), reason=refused)
        answer = _exchange(self._http, request)
        gone = answer.status == 0 or answer.status >= _SERVER_ERROR  # which may end the connection without a word
        if gone or answer.headers.get("connection", "").lower() == "close":
            self._http.close()
        return answer

    def must_answer(self, request: Request) -> Answer:
        """
        Send a request and wait for its answer. Raises StackError when there is none: silence says nothing of a limit.
        """
        answer = self.ask(request)
        if answer.status == 0:
            raise StackError(f"a request was not answered: {answer.reason}", hint="See the log of the instance asked.")
        return answer


def send_volley(url: str, source: str, requests: Sequence[Request], *, limit_s: float = ANSWER_LIMIT_S) -> list[Answer]:
    """
    Send many requests at once; return their answers.

    Each has a connection of its own, on which all but its last byte was sent before: so the server has them together.
    """
    lines = [_Parked(url, source, limit_s) for _ in requests]
    answers: dict[int, Answer] = {}
    try:
        for line in lines:
            refused = _connect(line)
            if refused:
                now = time.monotonic()
                return [Answer(0, {}, now, now, reason=refused) for _ in requests]
        for line, request in zip(lines, requests, strict=True):
            line.request(request.method, request.path, request.content, request.all_headers)
            line.park()
        sent: dict[int, float] = {}
        for place, line in enumerate(lines):
            sent[place] = time.monotonic()
            try:
                line.release()
            except OSError as err:
                answers[place] = Answer(0, {}, sent[place], time.monotonic(), reason=_words(err))
        for place, line in enumerate(lines):
            if place not in answers:
                answers[place] = _read(line, sent[place])
    finally:
        for line in lines:
            line.close()
    return [answers[place] for place in range(len(lines))]


class _Parked(Connection):
    """
    A connection that keeps the last byte of its one request back.
    """

    def __init__(self, url: str, source: str, limit_s: float) -> None:
        super().__init__(url, source, limit_s)
        self._kept = b""

    def send(self, data: object) -> None:
        assert isinstance(data, bytes | bytearray)
        self._kept += bytes(data)

    def park(self) -> None:
        self.sock.sendall(self._kept[:-1])

    def release(self) -> None:
        self.sock.sendall(self._kept[-1:])


def _connect(line: http.client.HTTPConnection) -> str | None:
    try:
        line.connect()
    except OSError as err:
        if err.errno in _NO_ADDRESS:
            raise Unavailable(
                f"this machine lets no client speak from another loopback address: {err}",
                hint="Linux does; elsewhere run the prober in a container on the service's network.",
            ) from err
        return _words(err)
    return None


def _exchange(line: http.client.HTTPConnection, request: Request) -> Answer:
    sent = time.monotonic()
    try:
        line.request(request.method, request.path, request.content, request.all_headers)
    except (OSError, http.client.HTTPException) as err:
        return Answer(0, {}, sent, time.monotonic(), reason=_words(err))
    return _read(line, sent)


def _read(line: http.client.HTTPConnection, sent_s: float) -> Answer:
    try:
        response = line.getresponse()
        answered = time.monotonic()
        body = response.read()
    except (OSError, http.client.HTTPException) as err:
        return Answer(0, {}, sent_s, time.monotonic(), reason=_words(err))
    headers = {name.lower(): value for name, value in response.getheaders()}
    return Answer(response.status, headers, sent_s, answered, body)


def _words(err: BaseException) -> str:
    return f"{type(err).__name__}: {err}"
