"""
Owns putting rate limits before an application, and the stand-ins for routes that a file names and it lacks.
"""

from __future__ import annotations

from fastapi import FastAPI
from pydantic import BaseModel
from starlette.routing import Match
from starlette.types import ASGIApp, Receive, Scope, Send

from knowledge.rate_limits.rate_limits import RateLimits

__all__ = ["LimitRequests", "mount_limits"]


class StandIn(BaseModel):
    """
    What a route answers that stands in for one this service lacks.
    """

    stands_in_for: str


class LimitRequests:
    """
    ASGI middleware that counts a request before anything else looks at it.
    """

    def __init__(self, app: ASGIApp, limits: RateLimits) -> None:
        self.app = app
        self.limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """
        Serve or refuse one request.
        """
        refusal = await self.limits.check(scope) if scope["type"] == "http" else None
        await (refusal or self.app)(scope, receive, send)


def mount_limits(app: FastAPI, limits: RateLimits | None) -> None:
    """
    Mount the limits, if there are any; call it when every route of the application's own is there.
    """
    if limits is None:
        return
    for limit in limits.declared.limits:
        if not _has_route(app, limit.method, limit.path):
            _add_stand_in(app, limit.id, limit.method, limit.path)
    app.add_middleware(LimitRequests, limits=limits)


def _has_route(app: FastAPI, method: str, path: str) -> bool:
    scope = {"type": "http", "method": method, "path": path, "headers": [], "root_path": ""}
    return any(route.matches(scope)[0] is Match.FULL for route in app.routes)


def _add_stand_in(app: FastAPI, name: str, method: str, path: str) -> None:
    async def stand_in() -> StandIn:
        return StandIn(stands_in_for=name)

    app.add_api_route(path, stand_in, methods=[method], tags=["stand-ins"], operation_id=f"stand_in_{name}")
