"""
Owns how a page of threads is read with what a reader wants to see of each: who asked, how many answered, when last.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, true
from sqlalchemy.orm import Session

from knowledge.models import Post, Thread, User
from knowledge.switches import Switches

__all__ = ["ReadThreads", "ThreadLine", "choose_thread_list"]


@dataclass(frozen=True, slots=True)
class ThreadLine:
    """
    One line of the list.
    """

    id: int
    knowledge_base_id: int
    title: str
    status: str
    author: str
    posts: int
    last_post_at: datetime | None
    created_at: datetime


ReadThreads = Callable[[Session, int, int], Sequence[ThreadLine]]
"""Takes the session, the id after which to start and how many lines to read."""


def read_together(session: Session, after: int, count: int) -> Sequence[ThreadLine]:
    """
    Read the lines in one statement, however many there are.
    """
    page = select(Thread).where(Thread.id > after).order_by(Thread.id).limit(count).subquery()
    answers = (
        select(func.count(Post.id).label("posts"), func.max(Post.created_at).label("last_post_at"))
        .where(Post.thread_id == page.c.id)
        .lateral()
    )
    statement = (
        select(
            page.c.id,
            page.c.knowledge_base_id,
            page.c.title,
            page.c.status,
            User.full_name,
            answers.c.posts,
            answers.c.last_post_at,
            page.c.created_at,
        )
        .join(User, User.id == page.c.author_id)
        .join(answers, true())
        .order_by(page.c.id)
    )
    return [ThreadLine(*row) for row in session.execute(statement)]


def read_one_by_one(session: Session, after: int, count: int) -> Sequence[ThreadLine]:
    """
    Weak: read the threads, then three times for each of them: 1 + 3 N statements.
    """
    threads = session.scalars(select(Thread).where(Thread.id > after).order_by(Thread.id).limit(count)).all()
    lines = []
    for thread in threads:
        author = session.scalar(select(User.full_name).where(User.id == thread.author_id))
        posts = session.scalar(select(func.count()).select_from(Post).where(Post.thread_id == thread.id))
        last = session.scalar(select(func.max(Post.created_at)).where(Post.thread_id == thread.id))
        lines.append(
            ThreadLine(
                id=thread.id,
                knowledge_base_id=thread.knowledge_base_id,
                title=thread.title,
                status=thread.status,
                author=author or "",
                posts=posts or 0,
                last_post_at=last,
                created_at=thread.created_at,
            )
        )
    return lines


def choose_thread_list(switches: Switches) -> ReadThreads:
    """
    Choose the form by `list_statements_bounded`.
    """
    return read_together if switches.list_statements_bounded else read_one_by_one
