"""
A small service limited by slowapi on Redis, with its headers on.
"""

from __future__ import annotations

import os

from fastapi import FastAPI, Request, Response
from slowapi import Limiter, _rate_limit_exceeded_handler
from slowapi.errors import RateLimitExceeded
from slowapi.util import get_remote_address

SECONDS = int(os.environ.get("ZOO_SECONDS", "5"))


def api_key(request: Request) -> str:
    return request.headers.get("X-API-Key", "")


limiter = Limiter(key_func=get_remote_address, storage_uri=os.environ["ZOO_REDIS"], headers_enabled=True)
app = FastAPI()
app.state.limiter = limiter
app.add_exception_handler(RateLimitExceeded, _rate_limit_exceeded_handler)
logins = limiter.shared_limit(f"5/{SECONDS} seconds", scope="login")


@app.post("/login")
@logins
async def login(request: Request, response: Response) -> dict[str, bool]:
    return {"ok": True}


@app.get("/health-report")
@logins
async def report(request: Request, response: Response) -> dict[str, bool]:
    return {"ok": True}


@app.get("/items")
@limiter.limit(f"20/{SECONDS} seconds", key_func=api_key)
async def items(request: Request, response: Response) -> list[str]:
    return []


@app.get("/health")
async def health() -> dict[str, bool]:
    return {"ok": True}
