"""
Owns the endpoints of documents. No statement names a tenant: which rows exist is the database's answer.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Annotated

from fastapi import APIRouter, HTTPException, Query, status
from fastapi.responses import StreamingResponse
from sqlalchemy import select
from sqlalchemy.orm import Session

from knowledge.api.access import Caller, CurrentCaller, CurrentService, TenantSession
from knowledge.api.knowledge_bases import read_knowledge_base
from knowledge.api.paging import read_page
from knowledge.api.streams import LineStream
from knowledge.api.wire.library import Batch, BatchOut, DocumentChange, DocumentIn, DocumentOut
from knowledge.api.wire.values import Id, Limit, Page, PageStart, PathId
from knowledge.models import Document
from knowledge.service import Service
from knowledge.trail import record_action, record_event

__all__ = ["read_document", "router"]

router = APIRouter(prefix="/documents", tags=["documents"], responses={401: {}, 403: {}})

EXPORT_ROWS = 500
"""How many are held in memory at a time."""


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


@router.post("/batch")
def get_documents(wanted: Batch, session: TenantSession) -> BatchOut:
    """
    Read several documents at once; another tenant's is as missing as one that never was.
    """
    rows = session.scalars(select(Document).where(Document.id.in_(wanted.ids)).order_by(Document.id)).all()
    missing = sorted(set(wanted.ids) - {row.id for row in rows})
    return BatchOut(items=[DocumentOut.model_validate(row) for row in rows], missing=missing)


@router.get("/export", response_class=StreamingResponse)
def export_documents(service: CurrentService, caller: CurrentCaller) -> StreamingResponse:
    """
    Export all documents as JSON lines, in one consistent read and constant memory.
    """
    return LineStream(_read_lines(service, caller))


def _read_lines(service: Service, caller: Caller) -> Generator[str, None, None]:
    """The transaction lasts as long as the stream, which a dependency's would not."""
    with service.serve(caller.tenant_id) as session:
        record_event(session, user_id=caller.user_id, kind="documents.exported")
        statement = select(Document).order_by(Document.id).execution_options(yield_per=EXPORT_ROWS)
        for document in session.scalars(statement):
            yield DocumentOut.model_validate(document).model_dump_json() + "\n"
            session.expunge(document)


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
def delete_document(document_id: PathId, session: TenantSession, caller: CurrentCaller) -> None:
    """
    Destroy one document; files that belonged to it stay.
    """
    session.delete(read_document(session, document_id))
    record_action(session, actor_id=caller.user_id, action="delete", subject=f"documents/{document_id}")
    session.flush()
