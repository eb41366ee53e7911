"""
Owns watching one instance leave: what readiness said meanwhile, and what became of a request that was in flight.
"""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from pydantic import JsonValue

from playbook.load.pressing import Door, Pressed, pressing
from playbook.service.connection import Connection

__all__ = ["Departure", "HeldRequest", "watch_departure"]

POLL_S = 0.05
GONE_LIMIT_S = 10.0
AFTER_GONE_S = 0.2
ANSWER_LIMIT_S = 10.0
_OK = 200
_SERVER_ERROR = 500
_SOURCE = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class HeldRequest:
    """
    A request with a body, of which half is sent before the instance is told to leave, the rest when its port is closed.
    """

    path: str
    body: JsonValue
    method: str = "POST"


@dataclass(frozen=True, slots=True)
class Departure:
    """
    How one instance left.

    `led_s`: for how long it said that it was not ready while it still took connections. `held_status`: the answer to
    the request in flight, or None; `held_seen` is its first line, or what came instead. `pressed` is what came of
    asking at the front door meanwhile.
    """

    led_s: float
    gone: bool
    held_status: int | None
    held_seen: str
    pressed: Pressed = field(default_factory=Pressed)

    @property
    def cut(self) -> bool:
        """
        Say whether the request in flight was not finished; a server that cancels it may still answer 500.
        """
        return self.held_status is None or self.held_status >= _SERVER_ERROR


class _Watch:
    def __init__(self, url: str, ready: str, held: HeldRequest, door: Door | None) -> None:
        self.door = door
        self.url = url
        self.ready = ready
        self.body = json.dumps(held.body).encode()
        host = urlsplit(url).netloc or _SOURCE
        self.head = (
            f"{held.method} {held.path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(self.body)}\r\nConnection: close\r\n\r\n"
        ).encode()
        self.seen: list[Departure] = []

    def begin(self) -> socket.socket:
        connection = Connection(self.url, _SOURCE, ANSWER_LIMIT_S)
        connection.connect()
        peer = connection.sock
        peer.sendall(self.head + self.body[: len(self.body) // 2])
        time.sleep(POLL_S)  # the server has read it before anything else happens
        return peer

    def follow(self, peer: socket.socket) -> None:
        with nullcontext(Pressed()) if self.door is None else pressing(self.door) as pressed:
            led_s, gone = self.lead()
            time.sleep(AFTER_GONE_S)
        self.seen.append(Departure(led_s, gone, *self.finish(peer), pressed))

    def lead(self) -> tuple[float, bool]:
        """Watch until the port is closed: for how long it was unready before, and whether it ever was closed."""
        unready_at = gone_at = None
        end = time.monotonic() + GONE_LIMIT_S
        while gone_at is None and time.monotonic() < end:
            status = self.ask()
            if status is None:
                gone_at = time.monotonic()
            elif status not in (0, _OK) and unready_at is None:
                unready_at = time.monotonic()
            time.sleep(POLL_S)
        led_s = gone_at - unready_at if gone_at and unready_at else 0.0
        return round(led_s, 3), gone_at is not None

    def ask(self) -> int | None:
        """Ask readiness; None when the port is closed, 0 when nothing came in time: a slow port is not closed."""
        connection = Connection(self.url, _SOURCE, 1.0)
        try:
            connection.connect()
        except TimeoutError:
            return 0
        except OSError:
            return None
        try:
            connection.request("GET", self.ready)
            return connection.getresponse().status
        except (OSError, http.client.HTTPException):
            return 0
        finally:
            connection.close()

    def finish(self, peer: socket.socket) -> tuple[int | None, str]:
        try:
            peer.sendall(self.body[len(self.body) // 2 :])
            line = peer.makefile("rb").readline().decode("latin-1").strip()
        except OSError as err:
            return None, type(err).__name__
        words = line.split(" ", 2)
        status = int(words[1]) if len(words) > 1 and words[1].isdigit() else None
        return status, line or "closed without an answer"


@contextmanager
def watch_departure(
    url: str, *, ready: str, held: HeldRequest, door: Door | None = None
) -> Iterator[Callable[[], Departure]]:
    """
    Hold a request in flight at an instance, and watch the instance from now until its port is closed, at most 10 s.

    Meanwhile asks at the `door`, if there is one. Gives the function that waits for what was seen. Raises OSError when
    nobody listens at `url`.
    """
    watch = _Watch(url, ready, held, door)
    with watch.begin() as peer:
        thread = threading.Thread(target=watch.follow, args=(peer,), daemon=True)
        thread.start()

        def seen() -> Departure:
            thread.join(GONE_LIMIT_S + AFTER_GONE_S + ANSWER_LIMIT_S + 2)
            return watch.seen[0] if watch.seen else Departure(0.0, gone=False, held_status=None, held_seen="not seen")

        yield seen
        thread.join(GONE_LIMIT_S + AFTER_GONE_S + ANSWER_LIMIT_S + 2)
