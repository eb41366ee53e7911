"""
Owns the endpoints of knowledge bases. No statement names a tenant: which rows exist is the database's answer.
"""

from __future__ import annotations

from fastapi import APIRouter, HTTPException, status
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from knowledge.api.access import CurrentCaller, Moderator, TenantSession
from knowledge.api.paging import read_page
from knowledge.api.wire.library import KnowledgeBaseChange, KnowledgeBaseIn, KnowledgeBaseOut
from knowledge.api.wire.values import Limit, Page, PageStart, PathId
from knowledge.models import Document, KnowledgeBase, Thread
from knowledge.trail import record_action

__all__ = ["read_knowledge_base", "router"]

router = APIRouter(prefix="/knowledge-bases", tags=["knowledge bases"], responses={401: {}})


def read_knowledge_base(session: Session, knowledge_base_id: int) -> KnowledgeBase:
    """
    Read one; raises 404 when there is none, or none for this tenant: the two look the same.
    """
    knowledge_base = session.get(KnowledgeBase, knowledge_base_id)
    if knowledge_base is None:
        raise HTTPException(status.HTTP_404_NOT_FOUND, "no such knowledge base")
    return knowledge_base


@router.get("")
def list_knowledge_bases(session: TenantSession, after: PageStart = 0, limit: Limit = 50) -> Page[KnowledgeBaseOut]:
    """
    List knowledge bases in the order of their ids.
    """
    return read_page(
        session, select(KnowledgeBase), model=KnowledgeBase, out=KnowledgeBaseOut, after=after, limit=limit
    )


@router.post("", status_code=status.HTTP_201_CREATED)
def create_knowledge_base(wanted: KnowledgeBaseIn, session: TenantSession, caller: CurrentCaller) -> KnowledgeBaseOut:
    """
    Create a knowledge base that the caller owns.
    """
    knowledge_base = KnowledgeBase(owner_id=caller.user_id, name=wanted.name, description=wanted.description)
    session.add(knowledge_base)
    session.flush()
    return KnowledgeBaseOut.model_validate(knowledge_base)


@router.get("/{knowledge_base_id}", responses={404: {}})
def get_knowledge_base(knowledge_base_id: PathId, session: TenantSession) -> KnowledgeBaseOut:
    """
    Read one knowledge base.
    """
    return KnowledgeBaseOut.model_validate(read_knowledge_base(session, knowledge_base_id))


@router.patch("/{knowledge_base_id}", responses={404: {}})
def change_knowledge_base(
    knowledge_base_id: PathId, change: KnowledgeBaseChange, session: TenantSession
) -> KnowledgeBaseOut:
    """
    Change what the request names, leave the rest.
    """
    knowledge_base = read_knowledge_base(session, knowledge_base_id)
    for field, value in change.model_dump(exclude_none=True).items():
        setattr(knowledge_base, field, value)
    session.flush()
    return KnowledgeBaseOut.model_validate(knowledge_base)


@router.delete("/{knowledge_base_id}", status_code=status.HTTP_204_NO_CONTENT, responses={403: {}, 404: {}})
def delete_knowledge_base(knowledge_base_id: PathId, caller: Moderator, session: TenantSession) -> None:
    """
    Destroy a knowledge base with its documents and threads. For moderators.
    """
    knowledge_base = read_knowledge_base(session, knowledge_base_id)
    for model in (Document, Thread):
        session.execute(delete(model).where(model.knowledge_base_id == knowledge_base.id))
    session.delete(knowledge_base)
    subject = f"knowledge_bases/{knowledge_base_id}"
    record_action(session, actor_id=caller.user_id, action="delete", subject=subject)
    session.flush()
