"""
A small service whose limiter reads a counter, decides, and writes it back: right one after another, not at once.
"""

from __future__ import annotations

import math
import os

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from redis.asyncio import Redis
from starlette.responses import Response

SECONDS = int(os.environ.get("ZOO_SECONDS", "5"))
store = Redis.from_url(os.environ["ZOO_REDIS"], socket_timeout=1.0, socket_connect_timeout=1.0)
app = FastAPI()


async def refused(key: str, most: int) -> Response | None:
    count = int(await store.get(key) or 0)
    if count >= most:
        wait_s = math.ceil(await store.pttl(key) / 1000)
        return JSONResponse({"detail": "slow down"}, 429, headers={"Retry-After": str(max(1, wait_s))})
    await store.set(key, count + 1, ex=SECONDS if count == 0 else None, keepttl=count > 0)
    return None


@app.post("/login")
async def login(request: Request) -> Response:
    assert request.client
    return await refused(f"login {request.client.host}", 5) or JSONResponse({})


@app.get("/health-report")
async def report(request: Request) -> Response:
    assert request.client
    return await refused(f"login {request.client.host}", 5) or JSONResponse({})


@app.get("/items")
async def items(request: Request) -> Response:
    return await refused(f"items {request.headers.get('X-API-Key')}", 20) or JSONResponse([])


@app.get("/health")
async def health() -> dict[str, bool]:
    return {"ok": True}
