"""
Owns the outermost layer of a request: its id, and the one line that is logged when it ends.
"""

from __future__ import annotations

import re
import secrets
import time

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from knowledge.log_lines import log_event
from knowledge.request_record import RequestRecord, begin_record

__all__ = ["RequestLines"]

HEADER = "X-Request-ID"
WELL_FORMED = re.compile(r"[A-Za-z0-9._-]{1,64}")


def choose_request_id(headers: Headers) -> str:
    """
    Take the id that the caller gave where it is harmless in a log and a header, else make one.
    """
    given = headers.get(HEADER, "")
    return given if WELL_FORMED.fullmatch(given) else secrets.token_hex(8)


class RequestLines:
    """
    ASGI middleware that begins the record of a request, returns its id, and logs how it went.

    Plain ASGI, not BaseHTTPMiddleware: it neither buffers a stream nor runs the handler in another context.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """
        Serve one request.
        """
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        record = begin_record(choose_request_id(Headers(scope=scope)))
        started = time.perf_counter()
        status = 500

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)[HEADER] = record.request_id
            await send(message)

        try:
            await self.app(scope, receive, send_with_id)
        finally:
            _log(scope, record, status=status, elapsed_s=time.perf_counter() - started)


def _log(scope: Scope, record: RequestRecord, *, status: int, elapsed_s: float) -> None:
    route = scope.get("route")
    query = scope["query_string"].decode("latin-1")
    log_event(
        "request",
        method=scope["method"],
        # The template, because a path can hold anything; the target itself is for the weak form.
        route=getattr(route, "path", None),
        target=scope["path"] + (f"?{query}" if query else ""),
        status=status,
        duration_ms=round(elapsed_s * 1000, 1),
        statements=record.statements,
    )
