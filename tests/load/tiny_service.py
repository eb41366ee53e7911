"""
A service of one file: `python tiny_service.py PORT FORM`, where FORM says how it leaves and what it does wrong.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
import sys
import time
from collections.abc import Awaitable, Callable, MutableMapping
from types import FrameType
from typing import Any

import uvicorn

Message = MutableMapping[str, Any]
DRAIN_S = 1.5
REQUESTS = itertools.count(1)
STATE = {"leaving": False}


async def application(
    scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
) -> None:
    if scope["type"] != "http":
        return
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    status, text = await answer(scope["path"], dict(scope["headers"]))
    headers = [(b"content-type", b"text/plain"), (b"content-length", str(len(text)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": text.encode()})


async def answer(path: str, headers: dict[bytes, bytes]) -> tuple[int, str]:
    if path == "/ready":
        return (503, "leaving") if STATE["leaving"] and FORM != "unled" else (200, "ready")
    await asyncio.sleep(0.02)
    number = next(REQUESTS)
    if FORM == "failing" and number % 50 == 0:
        return 500, "went wrong"
    if FORM == "slow" and number % 10 == 0:
        await asyncio.sleep(0.4)
    if FORM == "dragging" and number % 10 == 0:
        await asyncio.sleep(1.3)
    if FORM == "stalling" and number == 20:
        time.sleep(1.2)  # noqa: ASYNC251 (the whole service stands still, once)
    tenant = headers.get(b"x-tenant", b"none").decode()
    if FORM == "leaking" and number % 10 == 0:
        tenant = "other"
    return 200, f"mark-{tenant}"


class Leaving(uvicorn.Server):
    """Turns unready, serves on, then finishes."""

    leave_at = float("inf")

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if sig == signal.SIGTERM and self.leave_at == float("inf"):
            STATE["leaving"] = True
            self.leave_at = time.monotonic() + DRAIN_S
        else:
            super().handle_exit(sig, frame)

    async def on_tick(self, counter: int) -> bool:
        self.should_exit = self.should_exit or time.monotonic() >= self.leave_at
        return await super().on_tick(counter)


class Abrupt(uvicorn.Server):
    """Ends with whatever is in flight."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        del sig, frame
        os._exit(0)


FORM = sys.argv[2]

if __name__ == "__main__":
    config = uvicorn.Config(application, port=int(sys.argv[1]), log_level="error", timeout_graceful_shutdown=10)
    (Abrupt if FORM == "abrupt" else Leaving)(config).run()
