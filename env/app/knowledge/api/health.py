"""
Owns the endpoints that machines ask: alive, ready, which code. None of them waits for the requests of people.
"""

from __future__ import annotations

from fastapi import APIRouter, Response, status
from pydantic import BaseModel

from knowledge.api.access import CurrentService

__all__ = ["router"]

router = APIRouter(tags=["health"])


class Health(BaseModel):
    """
    Whether the process is well.
    """

    status: str


class Ready(Health):
    """
    Whether its dependencies answered, each `up` or `down`.
    """

    dependencies: dict[str, str]


class Version(BaseModel):
    """
    The running code and what is hardened in it; `source` is a sha256 over its files.
    """

    version: str
    commit: str
    built: str
    source: str
    switches: list[str]


@router.get("/health")
@router.get("/health/live")
async def live() -> Health:
    """
    Tell that the process answers; nothing else is asked.
    """
    return Health(status="ok")


@router.get("/health/ready", responses={503: {"model": Ready}})
async def ready(service: CurrentService, response: Response) -> Ready:
    """
    Tell whether this instance can do its work now.
    """
    answered = await service.readiness()
    is_ready = all(answered.values()) and not service.departure.begun
    if not is_ready:
        response.status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    return Ready(
        status="ready" if is_ready else "leaving" if service.departure.begun else "unavailable",
        dependencies={name: "up" if up else "down" for name, up in answered.items()},
    )


@router.get("/version")
async def version(service: CurrentService) -> Version:
    """
    Tell which code runs, by its digest, and which switches are on.
    """
    build = service.build
    return Version(
        version=build.version,
        commit=build.commit,
        built=build.built,
        source=build.source,
        switches=list(service.switches),
    )
