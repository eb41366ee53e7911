"""
Owns what stands between a request and its handler: the service, who asks, and the transaction bound to the tenant.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, HTTPException, Request, status
from fastapi.concurrency import run_in_threadpool
from fastapi.security import APIKeyHeader, HTTPAuthorizationCredentials, HTTPBearer
from sqlalchemy.orm import Session

from knowledge.api_keys import identify_key
from knowledge.request_record import current_record
from knowledge.service import Service
from knowledge.tokens import Claims, InvalidTokenError

__all__ = [
    "Admin",
    "Caller",
    "CurrentCaller",
    "CurrentService",
    "Moderator",
    "TenantSession",
    "UnboundSession",
    "unauthorized",
]

RANKS = ("member", "moderator", "admin")

# Dependencies take the request and ask it for the service: each further one costs every route time at start.

bearer = HTTPBearer(auto_error=False, description="The access token from POST /auth/login.")
api_key = APIKeyHeader(name="X-API-Key", auto_error=False, description="A key from POST /api-keys.")


@dataclass(frozen=True, slots=True)
class Caller:
    """
    Who asks, and in which tenant; None only where `context_required` is off.
    """

    user_id: int
    tenant_id: int | None
    role: str


def unauthorized(detail: str) -> HTTPException:
    """
    Make the 401 that says which scheme is wanted (RFC 9110, section 11.6.1).
    """
    return HTTPException(status.HTTP_401_UNAUTHORIZED, detail, headers={"WWW-Authenticate": "Bearer"})


def read_service(request: Request) -> Service:
    """
    Read the service that the application was made with.
    """
    service: Service = request.app.state.service
    return service


async def give_service(request: Request) -> Service:
    """
    Give the service to a handler.
    """
    return read_service(request)


CurrentService = Annotated[Service, Depends(give_service)]


def _look_up_key(service: Service, key: str) -> Claims:
    with service.transaction() as session:
        claims = identify_key(session, key)
    if claims is None:
        raise unauthorized("the API key is not valid")
    return claims


async def _verify(service: Service, credentials: HTTPAuthorizationCredentials | None, key: str | None) -> Claims:
    """A token, or an API key where there is none."""
    if credentials is not None:
        try:
            return service.tokens.verify(credentials.credentials)
        except InvalidTokenError:
            raise unauthorized("the token is not valid") from None
    if key is not None:
        return await run_in_threadpool(_look_up_key, service, key)
    raise unauthorized("a bearer token or an API key is required")


async def identify_caller(
    request: Request,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)],
    key: Annotated[str | None, Depends(api_key)],
) -> Caller:
    """
    Identify who asks, and in which tenant.
    """
    service = read_service(request)
    claims = await _verify(service, credentials, key)
    tenant_id = service.tenant_source(claims, request.headers)
    record = current_record()
    if record is not None:
        record.tenant_id, record.user_id = tenant_id, claims.user_id
    service.standing.check_presence(tenant_id)
    return Caller(claims.user_id, tenant_id, claims.role)


CurrentCaller = Annotated[Caller, Depends(identify_caller)]


def require_role(lowest: str) -> Callable[[Caller], Awaitable[Caller]]:
    """
    Make the dependency that refuses callers below a role with 403.
    """

    async def check(caller: CurrentCaller) -> Caller:
        if caller.role not in RANKS[RANKS.index(lowest) :]:
            raise HTTPException(status.HTTP_403_FORBIDDEN, f"only for {lowest}s")
        return caller

    return check


Moderator = Annotated[Caller, Depends(require_role("moderator"))]
Admin = Annotated[Caller, Depends(require_role("admin"))]


def open_tenant_session(request: Request, caller: CurrentCaller) -> Iterator[Session]:
    """
    Open the request's one transaction, bound to the caller's tenant.
    """
    with read_service(request).serve(caller.tenant_id) as session:
        yield session


def open_unbound_session(request: Request) -> Iterator[Session]:
    """
    Open a transaction before a tenant is known.
    """
    with read_service(request).transaction() as session:
        yield session


# Scope "function": committed before the response is sent, so that a client that was told 201 can read what it wrote.
TenantSession = Annotated[Session, Depends(open_tenant_session, scope="function")]
UnboundSession = Annotated[Session, Depends(open_unbound_session, scope="function")]
