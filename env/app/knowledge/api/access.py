"""
Owns what stands between a request and its handler: the service, who asks, and the transaction bound to the tenant.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, HTTPException, Request, status
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from sqlalchemy.orm import Session

from knowledge.service import Service
from knowledge.tenant_source import MalformedTenantError
from knowledge.tokens import InvalidTokenError

__all__ = ["Caller", "CurrentCaller", "CurrentService", "TenantSession", "UnboundSession", "unauthorized"]

bearer = HTTPBearer(auto_error=False, description="The access token from POST /auth/login.")


@dataclass(frozen=True, slots=True)
class Caller:
    """
    Who asks, and in which tenant.
    """

    user_id: int
    tenant_id: int
    role: str


def unauthorized(detail: str) -> HTTPException:
    """
    Make the 401 that says which scheme is wanted (RFC 9110, section 11.6.1).
    """
    return HTTPException(status.HTTP_401_UNAUTHORIZED, detail, headers={"WWW-Authenticate": "Bearer"})


async def read_service(request: Request) -> Service:
    """
    Read the service that the application was made with.
    """
    service: Service = request.app.state.service
    return service


CurrentService = Annotated[Service, Depends(read_service)]


async def identify_caller(
    request: Request,
    service: CurrentService,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)],
) -> Caller:
    """
    Identify who asks, from a verified token.
    """
    if credentials is None:
        raise unauthorized("a bearer token is required")
    try:
        claims = service.tokens.verify(credentials.credentials)
        tenant_id = service.tenant_source(claims, request.headers)
    except InvalidTokenError:
        raise unauthorized("the token is not valid") from None
    except MalformedTenantError as error:
        raise HTTPException(status.HTTP_422_UNPROCESSABLE_CONTENT, f"{error} does not hold a tenant's id") from None
    return Caller(claims.user_id, tenant_id, claims.role)


CurrentCaller = Annotated[Caller, Depends(identify_caller)]


def open_tenant_session(service: CurrentService, caller: CurrentCaller) -> Iterator[Session]:
    """
    Open the request's one transaction, bound to the caller's tenant.
    """
    with service.transaction(caller.tenant_id) as session:
        yield session


def open_unbound_session(service: CurrentService) -> Iterator[Session]:
    """
    Open a transaction before a tenant is known.
    """
    with service.transaction() as session:
        yield session


# Scope "function": committed before the response is sent, so that a client that was told 201 can read what it wrote.
TenantSession = Annotated[Session, Depends(open_tenant_session, scope="function")]
UnboundSession = Annotated[Session, Depends(open_unbound_session, scope="function")]
