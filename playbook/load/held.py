"""
Owns a request held in flight: its body is sent only in part, so that the server must still be there for the rest.
"""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

from pydantic import JsonValue

__all__ = ["HeldAnswer", "HeldRequest", "hold"]

FINISH_AFTER_S = 1.0
ANSWER_LIMIT_S = 15.0


@dataclass(frozen=True, slots=True)
class HeldRequest:
    """
    A request with a body; any answer in HTTP shows that it was finished.
    """

    path: str
    body: JsonValue
    method: str = "POST"


@dataclass(frozen=True, slots=True)
class HeldAnswer:
    """
    The status that came, or None and what came instead; `after_s` since the first half was sent.
    """

    status: int | None
    seen: str
    after_s: float


@contextmanager
def hold(
    url: str, request: HeldRequest, *, finish_after_s: float = FINISH_AFTER_S
) -> Iterator[Callable[[], HeldAnswer]]:
    """
    Send the first half of a request now, the rest after `finish_after_s`, in the background.

    Gives the function that waits for the answer. The rest is small: nothing but the server's leaving can lose it.
    """
    parts = urlsplit(url)
    body = json.dumps(request.body).encode()
    head = (
        f"{request.method} {request.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    ).encode()
    answers: list[HeldAnswer] = []
    began = time.monotonic()

    def finish(peer: socket.socket) -> None:
        time.sleep(finish_after_s)
        try:
            peer.sendall(body[len(body) // 2 :])
            line = peer.makefile("rb").readline().decode("latin-1").strip()
        except OSError as err:
            status, line = None, type(err).__name__
        else:
            words = line.split(" ", 2)
            status = int(words[1]) if len(words) > 1 and words[1].isdigit() else None
        answers.append(HeldAnswer(status, line or "closed without an answer", time.monotonic() - began))

    with socket.create_connection((parts.hostname or "", parts.port or 80), timeout=ANSWER_LIMIT_S) as peer:
        peer.sendall(head + body[: len(body) // 2])
        time.sleep(0.05)  # the server has read it before anything else happens
        thread = threading.Thread(target=finish, args=(peer,), daemon=True)
        thread.start()

        def answer() -> HeldAnswer:
            thread.join(ANSWER_LIMIT_S + finish_after_s)
            return answers[0] if answers else HeldAnswer(None, "no answer in time", time.monotonic() - began)

        yield answer
        thread.join(ANSWER_LIMIT_S + finish_after_s)
