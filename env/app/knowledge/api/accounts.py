"""
Owns registration, login and the caller's own account.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, status
from sqlalchemy import func, select, text

from knowledge.api.access import CurrentCaller, CurrentService, TenantSession, UnboundSession, unauthorized
from knowledge.api.wire.people import Availability, Credentials, MeOut, Registered, Registration, TenantOut, Token
from knowledge.api.wire.values import Email
from knowledge.log_lines import log_event
from knowledge.models import Tenant, User
from knowledge.passwords import hash_password, verify_password
from knowledge.tokens import Claims
from knowledge.trail import record_action

__all__ = ["router"]

router = APIRouter(tags=["accounts"])

NEXT_TENANT_ID = text("SELECT nextval(pg_get_serial_sequence('tenants', 'id'))")
# Before a tenant is known no policy shows a user: this definer function is the one way in.
LOOK_UP = text(
    "SELECT user_id, tenant_id, password_hash, role, tenant_status FROM auth_lookup(:tenant_slug, :user_email)"
)


@router.post("/auth/register", status_code=status.HTTP_201_CREATED, responses={409: {}})
def register(registration: Registration, service: CurrentService) -> Registered:
    """
    Create a tenant and its first administrator.

    The tenant's id is drawn first, because only a transaction bound to it may insert its row.
    """
    password_hash = hash_password(registration.password.get_secret_value())
    with service.transaction() as session:
        tenant_id: int = session.execute(NEXT_TENANT_ID).scalar_one()
    with service.transaction(tenant_id) as session:
        session.add(Tenant(id=tenant_id, name=registration.tenant_name, slug=registration.tenant_slug))
        session.flush()
        user = User(tenant_id=tenant_id, email=registration.email, password_hash=password_hash, role="admin")
        session.add(user)
        session.flush()
        record_action(session, actor_id=user.id, action="register", subject=f"tenants/{tenant_id}")
        return Registered(tenant_id=tenant_id, user_id=user.id)


@router.post("/auth/login", responses={401: {}, 403: {}})
def log_in(credentials: Credentials, service: CurrentService) -> Token:
    """
    Log in to one tenant. An unknown tenant, an unknown user and a wrong password look the same.
    """
    with service.transaction() as session:
        found = session.execute(
            LOOK_UP, {"tenant_slug": credentials.tenant, "user_email": credentials.email}
        ).one_or_none()
    password = credentials.password.get_secret_value()
    if not verify_password(password, found.password_hash if found else None) or found is None:
        log_event("login.failed", tenant=credentials.tenant, email=credentials.email, password=password)
        raise unauthorized("tenant, e-mail or password is wrong")
    service.standing.check_status(found.tenant_status)
    with service.transaction(found.tenant_id) as session:
        record_action(session, actor_id=found.user_id, action="login", subject=f"users/{found.user_id}")
    token = service.tokens.sign(Claims(found.user_id, found.tenant_id, found.role))
    return Token(access_token=token, expires_in_s=service.tokens.lifetime_s)


@router.get("/auth/available")
def tell_availability(email: Annotated[Email, Query()], session: UnboundSession) -> Availability:
    """
    Tell whether an e-mail address is free, before a tenant is known.

    As found it tells over all tenants who has an account; with row security, and no context left behind, nothing.
    """
    taken = session.execute(select(func.count()).select_from(User).where(User.email == email)).scalar_one()
    return Availability(available=taken == 0)


@router.get("/me", responses={401: {}})
def read_me(session: TenantSession, caller: CurrentCaller) -> MeOut:
    """
    Read the caller's own account.
    """
    user = session.get(User, caller.user_id)
    tenant = session.get(Tenant, caller.tenant_id)
    if user is None or tenant is None:
        raise unauthorized("the account no longer exists")
    return MeOut(
        id=user.id,
        email=user.email,
        full_name=user.full_name,
        role=user.role,
        tenant=TenantOut.model_validate(tenant),
    )
