"""
Owns the ways to find documents: by text as it stands, by words, by metadata, and at a glance.
"""

from __future__ import annotations

from fastapi import APIRouter
from sqlalchemy import column, or_, select, table, text

from knowledge.api.access import CurrentCaller, TenantSession
from knowledge.api.paging import read_page
from knowledge.api.wire.library import DocumentOut, Find, Hit, OverviewLine, TenantStats
from knowledge.api.wire.values import Limit, Page, PageStart, Search
from knowledge.models import Document
from knowledge.trail import record_event

__all__ = ["router"]

router = APIRouter(tags=["search"], responses={401: {}, 403: {}})

BY_WORDS = text("SELECT id, title, snippet, rank FROM search_documents(:words, :at_most)")
STATS = text("SELECT id, slug, users, documents, characters, newest_document FROM read_tenant_stats()")
OVERVIEW = table(
    "document_overview", *map(column, ("id", "title", "knowledge_base", "owner", "characters", "updated_at"))
)


@router.get("/documents/search")
def search_by_text(
    session: TenantSession, caller: CurrentCaller, q: Search, after: PageStart = 0, limit: Limit = 50
) -> Page[DocumentOut]:
    """
    Find documents whose title or body contains a text, whatever its case.
    """
    record_event(session, user_id=caller.user_id, kind="documents.searched", by="text")
    statement = select(Document).where(
        or_(Document.title.icontains(q, autoescape=True), Document.body.icontains(q, autoescape=True))
    )
    return read_page(session, statement, model=Document, out=DocumentOut, after=after, limit=limit)


@router.get("/documents/search/words")
def search_by_words(session: TenantSession, caller: CurrentCaller, q: Search, limit: Limit = 50) -> list[Hit]:
    """
    Find documents that hold all the words, best first.
    """
    record_event(session, user_id=caller.user_id, kind="documents.searched", by="words")
    return [Hit.model_validate(row) for row in session.execute(BY_WORDS, {"words": q, "at_most": limit})]


@router.post("/documents/search/metadata")
def search_by_metadata(
    wanted: Find, session: TenantSession, caller: CurrentCaller, after: PageStart = 0, limit: Limit = 50
) -> Page[DocumentOut]:
    """
    Find documents whose metadata contains what is given.
    """
    record_event(session, user_id=caller.user_id, kind="documents.searched", by="metadata")
    statement = select(Document).where(Document.attributes.contains(wanted.metadata))
    return read_page(session, statement, model=Document, out=DocumentOut, after=after, limit=limit)


@router.get("/documents/overview")
def read_overview(session: TenantSession, after: PageStart = 0, limit: Limit = 50) -> list[OverviewLine]:
    """
    Read documents with their knowledge base and its owner, in the order of their ids.
    """
    statement = select(OVERVIEW).where(OVERVIEW.c.id > after).order_by(OVERVIEW.c.id).limit(limit)
    return [OverviewLine.model_validate(row) for row in session.execute(statement)]


@router.get("/stats")
def read_stats(session: TenantSession) -> list[TenantStats]:
    """
    Read the figures as they were last counted.
    """
    return [TenantStats.model_validate(row) for row in session.execute(STATS)]
