"""
Owns the endpoints of small files.
"""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, File, Form, HTTPException, Response, UploadFile, status
from sqlalchemy import select
from sqlalchemy.orm import Session, undefer

from knowledge.api.access import CurrentCaller, CurrentService, TenantSession
from knowledge.api.documents import read_document
from knowledge.api.paging import read_page
from knowledge.api.wire.library import UploadOut
from knowledge.api.wire.values import Id, Limit, Page, PageStart, PathId
from knowledge.models import Upload

__all__ = ["router"]

router = APIRouter(prefix="/uploads", tags=["uploads"], responses={401: {}, 403: {}})

LARGEST_BYTES = 1024 * 1024
LONGEST_NAME = 200


def read_upload(session: Session, upload_id: int) -> Upload:
    """
    Read one with its content; raises 404 when there is none, or none for this tenant: the two look the same.
    """
    upload = session.get(Upload, upload_id, options=[undefer(Upload.content)])
    if upload is None:
        raise HTTPException(status.HTTP_404_NOT_FOUND, "no such file")
    return upload


@router.get("")
def list_uploads(session: TenantSession, after: PageStart = 0, limit: Limit = 50) -> Page[UploadOut]:
    """
    List files in the order of their ids, without their content.
    """
    return read_page(session, select(Upload), model=Upload, out=UploadOut, after=after, limit=limit)


@router.post("", status_code=status.HTTP_201_CREATED, responses={404: {}, 413: {}, 415: {}})
def create_upload(
    service: CurrentService,
    session: TenantSession,
    caller: CurrentCaller,
    file: Annotated[UploadFile, File()],
    document_id: Annotated[Id | None, Form()] = None,
) -> UploadOut:
    """
    Keep a file, for a document that the caller can see or for none.
    """
    content = file.file.read(LARGEST_BYTES + 1)
    if len(content) > LARGEST_BYTES:
        raise HTTPException(status.HTTP_413_CONTENT_TOO_LARGE, f"a file holds at most {LARGEST_BYTES} bytes")
    upload = Upload(
        uploaded_by=caller.user_id,
        document_id=None if document_id is None else read_document(session, document_id).id,
        filename=(file.filename or "unnamed")[:LONGEST_NAME],
        content_type=service.choose_type(content, file.content_type or ""),
        size_bytes=len(content),
        content=content,
    )
    session.add(upload)
    session.flush()
    return UploadOut.model_validate(upload)


@router.get("/{upload_id}", responses={404: {}})
def get_upload(upload_id: PathId, session: TenantSession) -> UploadOut:
    """
    Read what is known of a file.
    """
    return UploadOut.model_validate(read_upload(session, upload_id))


@router.get("/{upload_id}/content", response_class=Response, responses={404: {}})
def get_upload_content(upload_id: PathId, session: TenantSession) -> Response:
    """
    Read a file as it was sent, of the type that was stored.
    """
    upload = read_upload(session, upload_id)
    name = quote(upload.filename, safe="")
    return Response(
        upload.content,
        media_type=upload.content_type,
        headers={
            "Content-Disposition": f"attachment; filename*=UTF-8''{name}",
            "X-Content-Type-Options": "nosniff",
        },
    )


@router.delete("/{upload_id}", status_code=status.HTTP_204_NO_CONTENT, responses={404: {}})
def delete_upload(upload_id: PathId, session: TenantSession) -> None:
    """
    Destroy a file.
    """
    session.delete(read_upload(session, upload_id))
    session.flush()
