"""
Owns the endpoints by which users keep their own API keys.
"""

from __future__ import annotations

from fastapi import APIRouter, HTTPException, status
from sqlalchemy import func, select

from knowledge.api.access import CurrentCaller, TenantSession
from knowledge.api.paging import read_page
from knowledge.api.wire.people import ApiKeyIn, ApiKeyOut, NewApiKey
from knowledge.api.wire.values import Limit, Page, PageStart, PathId
from knowledge.api_keys import hash_secret, make_secret, spell_key
from knowledge.models import ApiKey
from knowledge.trail import record_action

__all__ = ["router"]

router = APIRouter(prefix="/api-keys", tags=["API keys"], responses={401: {}, 403: {}})


@router.get("")
def list_api_keys(
    session: TenantSession, caller: CurrentCaller, after: PageStart = 0, limit: Limit = 50
) -> Page[ApiKeyOut]:
    """
    List the caller's keys, revoked ones too.
    """
    statement = select(ApiKey).where(ApiKey.user_id == caller.user_id)
    return read_page(session, statement, model=ApiKey, out=ApiKeyOut, after=after, limit=limit)


@router.post("", status_code=status.HTTP_201_CREATED)
def create_api_key(wanted: ApiKeyIn, session: TenantSession, caller: CurrentCaller) -> NewApiKey:
    """
    Create a key. It is shown in this answer and never again.
    """
    secret = make_secret()
    row = ApiKey(user_id=caller.user_id, name=wanted.name, secret_hash=hash_secret(secret), revoked_at=None)
    session.add(row)
    session.flush()
    record_action(session, actor_id=caller.user_id, action="create", subject=f"api_keys/{row.id}")
    return NewApiKey(**ApiKeyOut.model_validate(row).model_dump(), key=spell_key(row.id, secret))


@router.delete("/{api_key_id}", status_code=status.HTTP_204_NO_CONTENT, responses={404: {}})
def revoke_api_key(api_key_id: PathId, session: TenantSession, caller: CurrentCaller) -> None:
    """
    Revoke one of the caller's keys; it stays in the list.
    """
    row = session.get(ApiKey, api_key_id)
    if row is None or row.user_id != caller.user_id:
        raise HTTPException(status.HTTP_404_NOT_FOUND, "no such API key")
    row.revoked_at = func.now()
    record_action(session, actor_id=caller.user_id, action="revoke", subject=f"api_keys/{api_key_id}")
    session.flush()
