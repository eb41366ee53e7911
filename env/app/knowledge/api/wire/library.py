"""
Owns the shapes of knowledge bases, documents, uploads and what searching them finds.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field

from knowledge.api.wire.values import Id, In, Metadata, Name, Out, Text

__all__ = [
    "Batch",
    "BatchOut",
    "DocumentChange",
    "DocumentIn",
    "DocumentOut",
    "Find",
    "Hit",
    "KnowledgeBaseChange",
    "KnowledgeBaseIn",
    "KnowledgeBaseOut",
    "OverviewLine",
    "TenantStats",
    "UploadOut",
]


class KnowledgeBaseIn(In):
    """
    A knowledge base to create.
    """

    name: Name
    description: Text = ""


class KnowledgeBaseChange(In):
    """
    What to change; what is left out stays.
    """

    name: Name | None = None
    description: Text | None = None


class KnowledgeBaseOut(Out):
    """
    A knowledge base.
    """

    id: int
    owner_id: int
    name: str
    description: str
    created_at: datetime
    updated_at: datetime


class DocumentIn(In):
    """
    A document to create.
    """

    knowledge_base_id: Id
    title: Name
    body: Text = ""
    metadata: Metadata = Field(default_factory=dict)


class DocumentChange(In):
    """
    What to change; what is left out stays.
    """

    knowledge_base_id: Id | None = None
    title: Name | None = None
    body: Text | None = None
    metadata: Metadata | None = None


class DocumentOut(Out):
    """
    A document.
    """

    id: int
    knowledge_base_id: int
    title: str
    body: str
    metadata: Metadata = Field(validation_alias="attributes")
    created_at: datetime
    updated_at: datetime


class Batch(In):
    """
    Which documents are wanted.
    """

    ids: Annotated[list[Id], Field(min_length=1, max_length=100)]


class BatchOut(Out):
    """
    Those that exist, in the order of their ids, and the ids of those that do not.
    """

    items: list[DocumentOut]
    missing: list[int]


class Find(In):
    """
    What a document's metadata must contain.
    """

    metadata: Annotated[Metadata, Field(min_length=1)]


class Hit(Out):
    """
    A document that full text search found, and how well it fits.
    """

    id: int
    title: str
    snippet: str
    rank: float


class OverviewLine(Out):
    """
    A document with its surroundings.
    """

    id: int
    title: str
    knowledge_base: str
    owner: str
    characters: int
    updated_at: datetime


class TenantStats(Out):
    """
    A tenant's figures as they were when last counted.
    """

    id: int
    slug: str
    users: int
    documents: int
    characters: int
    newest_document: str


class UploadOut(Out):
    """
    A file, without its content.
    """

    id: int
    uploaded_by: int
    document_id: int | None
    filename: str
    content_type: str
    size_bytes: int
    created_at: datetime
