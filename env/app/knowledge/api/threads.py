"""
Owns the endpoints of threads and their posts.
"""

from __future__ import annotations

from fastapi import APIRouter, HTTPException, status
from sqlalchemy import select
from sqlalchemy.orm import Session

from knowledge.api.access import CurrentCaller, CurrentService, Moderator, TenantSession
from knowledge.api.knowledge_bases import read_knowledge_base
from knowledge.api.paging import read_page
from knowledge.api.wire.discussion import PostIn, PostOut, ThreadChange, ThreadIn, ThreadLineOut, ThreadOut
from knowledge.api.wire.values import Limit, Page, PageStart, PathId
from knowledge.models import Post, Thread
from knowledge.trail import record_action

__all__ = ["router"]

router = APIRouter(prefix="/threads", tags=["threads"], responses={401: {}, 403: {}})


def read_thread(session: Session, thread_id: int) -> Thread:
    """
    Read one; raises 404 when there is none, or none for this tenant: the two look the same.
    """
    thread = session.get(Thread, thread_id)
    if thread is None:
        raise HTTPException(status.HTTP_404_NOT_FOUND, "no such thread")
    return thread


@router.get("")
def list_threads(
    service: CurrentService, session: TenantSession, after: PageStart = 0, limit: Limit = 50
) -> Page[ThreadLineOut]:
    """
    List threads in the order of their ids, with author, number of posts and time of the last.
    """
    lines = service.read_threads(session, after, limit + 1)
    items = [ThreadLineOut.model_validate(line) for line in lines[:limit]]
    return Page[ThreadLineOut](items=items, next_after=lines[limit - 1].id if len(lines) > limit else None)


@router.post("", status_code=status.HTTP_201_CREATED, responses={404: {}})
def create_thread(wanted: ThreadIn, session: TenantSession, caller: CurrentCaller) -> ThreadOut:
    """
    Begin a thread in a knowledge base that the caller can see.
    """
    base = read_knowledge_base(session, wanted.knowledge_base_id)
    thread = Thread(knowledge_base_id=base.id, author_id=caller.user_id, title=wanted.title)
    session.add(thread)
    session.flush()
    session.add(Post(thread_id=thread.id, author_id=caller.user_id, body=wanted.body))
    session.flush()
    return ThreadOut.model_validate(thread)


@router.get("/{thread_id}", responses={404: {}})
def get_thread(thread_id: PathId, session: TenantSession) -> ThreadOut:
    """
    Read one thread.
    """
    return ThreadOut.model_validate(read_thread(session, thread_id))


@router.patch("/{thread_id}", responses={404: {}})
def change_thread(thread_id: PathId, change: ThreadChange, caller: Moderator, session: TenantSession) -> ThreadOut:
    """
    Resolve a thread or open it again. For moderators.
    """
    thread = read_thread(session, thread_id)
    thread.status = change.status
    record_action(session, actor_id=caller.user_id, action=change.status, subject=f"threads/{thread_id}")
    session.flush()
    return ThreadOut.model_validate(thread)


@router.delete("/{thread_id}", status_code=status.HTTP_204_NO_CONTENT, responses={404: {}})
def delete_thread(thread_id: PathId, caller: Moderator, session: TenantSession) -> None:
    """
    Destroy a thread with its posts. For moderators.
    """
    session.delete(read_thread(session, thread_id))
    record_action(session, actor_id=caller.user_id, action="delete", subject=f"threads/{thread_id}")
    session.flush()


@router.get("/{thread_id}/posts", responses={404: {}})
def list_posts(thread_id: PathId, session: TenantSession, after: PageStart = 0, limit: Limit = 50) -> Page[PostOut]:
    """
    List a thread's posts in the order of their ids.
    """
    statement = select(Post).where(Post.thread_id == read_thread(session, thread_id).id)
    return read_page(session, statement, model=Post, out=PostOut, after=after, limit=limit)


@router.post("/{thread_id}/posts", status_code=status.HTTP_201_CREATED, responses={404: {}, 409: {}})
def create_post(thread_id: PathId, wanted: PostIn, session: TenantSession, caller: CurrentCaller) -> PostOut:
    """
    Add a post to a thread that is open.
    """
    thread = read_thread(session, thread_id)
    if thread.status != "open":
        raise HTTPException(status.HTTP_409_CONFLICT, "the thread is resolved")
    post = Post(thread_id=thread.id, author_id=caller.user_id, body=wanted.body)
    session.add(post)
    session.flush()
    return PostOut.model_validate(post)
