"""
Owns the ASGI application: the routers around one Service.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from knowledge.api import accounts, documents, health, knowledge_bases
from knowledge.api.failures import add_handlers
from knowledge.rate_limits import mount_limits
from knowledge.service import Service

__all__ = ["make_application"]


def make_application(service: Service) -> FastAPI:
    """
    Make the application; its shutdown closes the service's connections.
    """

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        service.engine.dispose()

    app = FastAPI(title="Knowledge service", version=service.build.version, lifespan=lifespan)
    app.state.service = service
    for router in (health.router, accounts.router, knowledge_bases.router, documents.router):
        app.include_router(router)
    mount_limits(app, service.limits)
    add_handlers(app)
    return app
