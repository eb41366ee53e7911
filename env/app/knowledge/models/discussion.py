"""
Owns the mapping of what is said: threads and their posts.
"""

from __future__ import annotations

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from knowledge.models.row import Changing

__all__ = ["Post", "Thread"]


class Thread(Changing):
    """
    A question about a knowledge base.
    """

    __tablename__ = "threads"

    knowledge_base_id: Mapped[int] = mapped_column(ForeignKey("knowledge_bases.id"))
    author_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    title: Mapped[str]
    status: Mapped[str] = mapped_column(server_default="open")


class Post(Changing):
    """
    One contribution to a thread; it goes with the thread.
    """

    __tablename__ = "posts"

    thread_id: Mapped[int] = mapped_column(ForeignKey("threads.id"))
    author_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    body: Mapped[str]
