"""
Owns the endpoints of documents. No statement names a tenant: which rows exist is the database's answer.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, HTTPException, Query, status
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from knowledge.api.access import TenantSession
from knowledge.api.knowledge_bases import read_knowledge_base
from knowledge.api.paging import read_page
from knowledge.api.wire import DocumentChange, DocumentIn, DocumentOut, Id, Limit, Page, PageStart, PathId
from knowledge.models import Document

__all__ = ["router"]

router = APIRouter(prefix="/documents", tags=["documents"], responses={401: {}})


def read_document(session: Session, document_id: int) -> Document:
    """
    Read one; raises 404 when there is none, or none for this tenant: the two look the same.
    """
    document = session.get(Document, document_id)
    if document is None:
        raise HTTPException(status.HTTP_404_NOT_FOUND, "no such document")
    return document


@router.get("")
def list_documents(
    session: TenantSession,
    knowledge_base_id: Annotated[Id | None, Query(description="Only of this knowledge base.")] = None,
    after: PageStart = 0,
    limit: Limit = 50,
) -> Page[DocumentOut]:
    """
    List documents in the order of their ids.
    """
    statement = select(Document)
    if knowledge_base_id is not None:
        statement = statement.where(Document.knowledge_base_id == knowledge_base_id)
    return read_page(session, statement, model=Document, out=DocumentOut, after=after, limit=limit)


@router.get("/search")
def search_documents(
    session: TenantSession,
    q: Annotated[str, Query(min_length=1, max_length=200, description="Text that title or body contains.")],
    after: PageStart = 0,
    limit: Limit = 50,
) -> Page[DocumentOut]:
    """
    Search titles and bodies for a text, whatever its case.
    """
    statement = select(Document).where(
        or_(Document.title.icontains(q, autoescape=True), Document.body.icontains(q, autoescape=True))
    )
    return read_page(session, statement, model=Document, out=DocumentOut, after=after, limit=limit)


@router.post("", status_code=status.HTTP_201_CREATED, responses={404: {}})
def create_document(wanted: DocumentIn, session: TenantSession) -> DocumentOut:
    """
    Create a document in a knowledge base that the caller can see.
    """
    read_knowledge_base(session, wanted.knowledge_base_id)
    document = Document(
        knowledge_base_id=wanted.knowledge_base_id,
        title=wanted.title,
        body=wanted.body,
        attributes=wanted.metadata,
    )
    session.add(document)
    session.flush()
    return DocumentOut.model_validate(document)


@router.get("/{document_id}", responses={404: {}})
def get_document(document_id: PathId, session: TenantSession) -> DocumentOut:
    """
    Read one document.
    """
    return DocumentOut.model_validate(read_document(session, document_id))


@router.patch("/{document_id}", responses={404: {}})
def change_document(document_id: PathId, change: DocumentChange, session: TenantSession) -> DocumentOut:
    """
    Change what the request names, leave the rest; a document may move to another knowledge base that is visible.
    """
    document = read_document(session, document_id)
    if change.knowledge_base_id is not None:
        document.knowledge_base_id = read_knowledge_base(session, change.knowledge_base_id).id
    if change.title is not None:
        document.title = change.title
    if change.body is not None:
        document.body = change.body
    if change.metadata is not None:
        document.attributes = change.metadata
    session.flush()
    return DocumentOut.model_validate(document)


@router.delete("/{document_id}", status_code=status.HTTP_204_NO_CONTENT, responses={404: {}})
def delete_document(document_id: PathId, session: TenantSession) -> None:
    """
    Destroy one document.
    """
    session.delete(read_document(session, document_id))
    session.flush()
