"""
Owns what a client is told when the database refuses or fails: a status and a sentence, never SQL.
"""

from __future__ import annotations

import logging

from fastapi import FastAPI, Request, status
from fastapi.responses import JSONResponse
from sqlalchemy.exc import DataError, IntegrityError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

__all__ = ["add_handlers"]

log = logging.getLogger("uvicorn.error")


def _say(status_code: int, detail: str) -> JSONResponse:
    return JSONResponse({"detail": detail}, status_code)


async def answer_conflict(_request: Request, _error: Exception) -> JSONResponse:
    """
    Answer 409: a unique key or a foreign key refused the write.
    """
    return _say(status.HTTP_409_CONFLICT, "the request conflicts with what is stored")


async def answer_unstorable(_request: Request, _error: Exception) -> JSONResponse:
    """
    Answer 422: the value is well-formed but no column can hold it (a NUL character, a number out of range).
    """
    return _say(status.HTTP_422_UNPROCESSABLE_CONTENT, "a value cannot be stored")


async def answer_unavailable(_request: Request, error: Exception) -> JSONResponse:
    """
    Answer 503: the database is down, or every pooled connection is busy.
    """
    log.warning("the database is unavailable: %s", type(error).__name__)
    return _say(status.HTTP_503_SERVICE_UNAVAILABLE, "the database is unavailable")


def add_handlers(app: FastAPI) -> None:
    """
    Add the handlers to the application.
    """
    app.add_exception_handler(IntegrityError, answer_conflict)
    app.add_exception_handler(DataError, answer_unstorable)
    for kind in (OperationalError, InterfaceError, PoolTimeoutError):
        app.add_exception_handler(kind, answer_unavailable)
