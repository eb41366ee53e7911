"""
Owns the endpoints by which administrators keep their tenant's users.
"""

from __future__ import annotations

from fastapi import APIRouter, HTTPException, status
from pydantic import JsonValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from knowledge.api.access import Admin, TenantSession
from knowledge.api.paging import read_page
from knowledge.api.wire.people import UserChange, UserIn, UserOut
from knowledge.api.wire.values import Limit, Page, PageStart, PathId
from knowledge.models import User
from knowledge.passwords import hash_password
from knowledge.trail import record_action

__all__ = ["router"]

router = APIRouter(prefix="/users", tags=["users"], responses={401: {}, 403: {}})


def read_user(session: Session, user_id: int) -> User:
    """
    Read one; raises 404 when there is none, or none for this tenant: the two look the same.
    """
    user = session.get(User, user_id)
    if user is None:
        raise HTTPException(status.HTTP_404_NOT_FOUND, "no such user")
    return user


@router.get("")
def list_users(_caller: Admin, session: TenantSession, after: PageStart = 0, limit: Limit = 50) -> Page[UserOut]:
    """
    List users in the order of their ids.
    """
    return read_page(session, select(User), model=User, out=UserOut, after=after, limit=limit)


@router.post("", status_code=status.HTTP_201_CREATED, responses={409: {}})
def create_user(wanted: UserIn, caller: Admin, session: TenantSession) -> UserOut:
    """
    Create a user of the caller's tenant.
    """
    user = User(
        tenant_id=caller.tenant_id,
        email=wanted.email,
        full_name=wanted.full_name,
        password_hash=hash_password(wanted.password.get_secret_value()),
        role=wanted.role,
    )
    session.add(user)
    session.flush()
    record_action(session, actor_id=caller.user_id, action="create", subject=f"users/{user.id}")
    return UserOut.model_validate(user)


@router.get("/{user_id}", responses={404: {}})
def get_user(user_id: PathId, _caller: Admin, session: TenantSession) -> UserOut:
    """
    Read one user.
    """
    return UserOut.model_validate(read_user(session, user_id))


@router.patch("/{user_id}", responses={404: {}})
def change_user(user_id: PathId, change: UserChange, caller: Admin, session: TenantSession) -> UserOut:
    """
    Change what the request names, leave the rest.
    """
    user = read_user(session, user_id)
    changes = change.model_dump(exclude_none=True)
    for field, value in changes.items():
        setattr(user, field, value)
    record_action(
        session,
        actor_id=caller.user_id,
        action="change",
        subject=f"users/{user_id}",
        fields=list[JsonValue](sorted(changes)),
    )
    session.flush()
    return UserOut.model_validate(user)


@router.delete("/{user_id}", status_code=status.HTTP_204_NO_CONTENT, responses={404: {}, 409: {}})
def delete_user(user_id: PathId, caller: Admin, session: TenantSession) -> None:
    """
    Destroy a user who has left nothing behind; 409 for any other.
    """
    session.delete(read_user(session, user_id))
    session.flush()
    record_action(session, actor_id=caller.user_id, action="delete", subject=f"users/{user_id}")
