"""
Owns the mapping of what is known: knowledge bases, documents, uploads.
"""

from __future__ import annotations

from pydantic import JsonValue
from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from knowledge.models.row import Changing

__all__ = ["Document", "KnowledgeBase", "Upload"]


class KnowledgeBase(Changing):
    """
    A collection of documents that one user owns.
    """

    __tablename__ = "knowledge_bases"

    owner_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    name: Mapped[str]
    description: Mapped[str] = mapped_column(server_default="")


class Document(Changing):
    """
    A text in a knowledge base. `attributes` is the column `metadata`, a name that the ORM keeps for itself.
    """

    __tablename__ = "documents"

    knowledge_base_id: Mapped[int] = mapped_column(ForeignKey("knowledge_bases.id"))
    title: Mapped[str]
    body: Mapped[str]
    attributes: Mapped[dict[str, JsonValue]] = mapped_column("metadata", server_default="{}")


class Upload(Changing):
    """
    A small file, kept in the database; it may belong to a document. Its content is loaded only when asked for.
    """

    __tablename__ = "uploads"

    uploaded_by: Mapped[int] = mapped_column(ForeignKey("users.id"))
    document_id: Mapped[int | None] = mapped_column(ForeignKey("documents.id"))
    filename: Mapped[str]
    content_type: Mapped[str]
    size_bytes: Mapped[int]
    content: Mapped[bytes] = mapped_column(deferred=True)
