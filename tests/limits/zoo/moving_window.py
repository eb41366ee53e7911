"""
A small service limited by `limits` (moving window), sound or with one fault: ZOO_FAULT.

Faults: per-process, answers-500, trusts-header, fails-open, skips-prefix, rounds-down.
"""

from __future__ import annotations

import math
import os
import time

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from limits import RateLimitItemPerSecond
from limits.aio.storage import MemoryStorage, RedisStorage
from limits.aio.strategies import MovingWindowRateLimiter
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

SECONDS = int(os.environ.get("ZOO_SECONDS", "5"))
FAULT = os.environ.get("ZOO_FAULT", "")
SHARED = RedisStorage(
    os.environ["ZOO_REDIS"],
    implementation="redispy",
    socket_timeout=0.5,
    socket_connect_timeout=0.5,
    retry=Retry(NoBackoff(), 1, supported_errors=(RedisConnectionError,)),  # type: ignore[arg-type]
)
ALONE = MemoryStorage()
LOGIN = RateLimitItemPerSecond(5, SECONDS)
ITEMS = RateLimitItemPerSecond(20, SECONDS)

app = FastAPI()


@app.post("/login")
async def login() -> dict[str, bool]:
    return {"ok": True}


@app.get("/items")
async def items() -> list[str]:
    return []


@app.get("/health")
@app.get("/health-report")
async def health() -> dict[str, bool]:
    return {"ok": True}


class Limited:
    """Counts before anything else looks at the request."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or self.exempt(scope["path"]):
            await self.app(scope, receive, send)
            return
        refusal = await self.check(Request(scope))
        await (refusal or self.app)(scope, receive, send)

    def exempt(self, path: str) -> bool:
        return path in ("/health", "/openapi.json") or (FAULT == "skips-prefix" and path.startswith("/health"))

    async def check(self, request: Request) -> Response | None:
        item, key = LOGIN, f"ip {self.address(request)}"
        if request.url.path == "/items":
            item, key = ITEMS, f"key {request.headers.get('X-API-Key')}"
        try:
            return await self.count(MovingWindowRateLimiter(ALONE if FAULT == "per-process" else SHARED), item, key)
        except RedisError:
            if FAULT == "fails-open":
                return None
            return JSONResponse({"detail": "cannot count"}, 503)

    def address(self, request: Request) -> str:
        seen = request.client.host if request.client else ""
        return request.headers.get("X-Forwarded-For", seen).split(",")[0] if FAULT == "trusts-header" else seen

    async def count(self, windows: MovingWindowRateLimiter, item: RateLimitItemPerSecond, key: str) -> Response | None:
        if await windows.hit(item, key):
            return None
        reset, _ = await windows.get_window_stats(item, key)
        whole = math.floor if FAULT == "rounds-down" else math.ceil
        status = 500 if FAULT == "answers-500" else 429
        return JSONResponse({"detail": "slow down"}, status, headers={"Retry-After": str(whole(reset - time.time()))})


app.add_middleware(Limited)
