"""
Owns answers that are made line by line while they are sent.
"""

from __future__ import annotations

from collections.abc import Generator

from anyio import CancelScope
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

__all__ = ["LineStream"]


class LineStream(StreamingResponse):
    """
    Sends JSON lines, and ends what makes them when the client goes away.

    Without that a generator waits for the collector, and its transaction, with every lock it holds, as long.
    """

    def __init__(self, lines: Generator[str, None, None]) -> None:
        super().__init__(lines, media_type="application/x-ndjson")
        self.lines = lines

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """
        Send the lines.
        """
        try:
            await super().__call__(scope, receive, send)
        finally:
            # A client that left has cancelled this task; the end of the transaction must be waited for all the same.
            with CancelScope(shield=True):
                await run_in_threadpool(self.lines.close)
