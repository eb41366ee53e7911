"""
Owns the shapes of threads and posts.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import StringConstraints

from knowledge.api.wire.values import Id, In, Name, Out

__all__ = ["PostIn", "PostOut", "ThreadChange", "ThreadIn", "ThreadLineOut", "ThreadOut"]

Said = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=20_000)]


class ThreadIn(In):
    """
    A thread to begin, with its first post.
    """

    knowledge_base_id: Id
    title: Name
    body: Said


class ThreadChange(In):
    """
    Whether it is resolved.
    """

    status: Literal["open", "resolved"]


class PostIn(In):
    """
    A post to add.
    """

    body: Said


class PostOut(Out):
    """
    A post.
    """

    id: int
    thread_id: int
    author_id: int
    body: str
    created_at: datetime


class ThreadOut(Out):
    """
    A thread.
    """

    id: int
    knowledge_base_id: int
    author_id: int
    title: str
    status: str
    created_at: datetime


class ThreadLineOut(Out):
    """
    A thread in the list: who asked, how many posts there are, when the last one came.
    """

    id: int
    knowledge_base_id: int
    title: str
    status: str
    author: str
    posts: int
    last_post_at: datetime | None
    created_at: datetime
