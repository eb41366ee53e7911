"""
Owns the ASGI application: the routers around one Service.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from knowledge.api import (
    accounts,
    ai,
    api_keys,
    documents,
    health,
    invoices,
    knowledge_bases,
    plans,
    search,
    threads,
    trail,
    uploads,
    users,
    workflows,
)
from knowledge.api.failures import add_handlers
from knowledge.api.input_errors import add_input_handler
from knowledge.rate_limits import mount_limits
from knowledge.request_lines import RequestLines
from knowledge.service import Service
from knowledge.switches import Switches

__all__ = ["make_application"]

ROUTERS = (
    health.router,
    plans.router,
    accounts.router,
    users.router,
    api_keys.router,
    knowledge_bases.router,
    # Before documents: /documents/search is no document's id.
    search.router,
    documents.router,
    uploads.router,
    threads.router,
    workflows.router,
    ai.router,
    invoices.router,
    trail.router,
)


def make_application(service: Service, switches: Switches) -> FastAPI:
    """
    Make the application; its shutdown closes the service's connections.
    """

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        service.engine.dispose()

    app = FastAPI(title="Knowledge service", version=service.build.version, lifespan=lifespan)
    app.state.service = service
    for router in ROUTERS:
        app.include_router(router)
    add_handlers(app, switches)
    add_input_handler(app, switches)
    mount_limits(app, service.limits)
    app.add_middleware(RequestLines)
    return app
