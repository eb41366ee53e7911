"""
Owns what a client is told when something is refused or fails: a status and a sentence, and never more than that.

The weak form adds what the developers liked to see: the statement, its parameters, the stack.
"""

from __future__ import annotations

import traceback
from collections.abc import Awaitable, Callable

from fastapi import FastAPI, Request, Response, status
from fastapi.responses import JSONResponse
from psycopg.errors import InsufficientPrivilege
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, InterfaceError, OperationalError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from knowledge.ai_budget import CapReachedError
from knowledge.log_lines import log_event
from knowledge.switches import Switches
from knowledge.tenant_standing import InactiveTenantError, MissingTenantError
from knowledge.upload_types import TypeRefusedError

__all__ = ["add_handlers"]

Details = Callable[[Exception], dict[str, str]]
Handler = Callable[[Request, Exception], Awaitable[Response]]

SENTENCES: dict[type[Exception], tuple[int, str]] = {
    CapReachedError: (status.HTTP_429_TOO_MANY_REQUESTS, "the month's spending cap is reached"),
    InactiveTenantError: (status.HTTP_403_FORBIDDEN, "the tenant is suspended"),
    MissingTenantError: (status.HTTP_403_FORBIDDEN, "the request belongs to no tenant"),
    TypeRefusedError: (status.HTTP_415_UNSUPPORTED_MEDIA_TYPE, "a file of this type is not accepted"),
    IntegrityError: (status.HTTP_409_CONFLICT, "the request conflicts with what is stored"),
    # Well-formed, but no column can hold it: a NUL character, a number out of range.
    DataError: (status.HTTP_422_UNPROCESSABLE_CONTENT, "a value cannot be stored"),
    OperationalError: (status.HTTP_503_SERVICE_UNAVAILABLE, "the database is unavailable"),
    InterfaceError: (status.HTTP_503_SERVICE_UNAVAILABLE, "the database is unavailable"),
    PoolTimeoutError: (status.HTTP_503_SERVICE_UNAVAILABLE, "the database is unavailable"),
    ProgrammingError: (status.HTTP_500_INTERNAL_SERVER_ERROR, "something went wrong"),
    Exception: (status.HTTP_500_INTERNAL_SERVER_ERROR, "something went wrong"),
}


def tell_nothing(_error: Exception) -> dict[str, str]:
    """
    Add nothing to the sentence.
    """
    return {}


def tell_internals(error: Exception) -> dict[str, str]:
    """
    Weak: add the error with its statement and parameters, and the stack.
    """
    return {"error": str(error), "stack": "".join(traceback.format_exception(error))}


def _log(error: Exception, status_code: int) -> None:
    """The server's message may quote a row, hence its code and constraint, and the message for the weak form only."""
    cause = error.orig if isinstance(error, DBAPIError) else None
    diagnosis = getattr(cause, "diag", None)
    log_event(
        "refused" if status_code < status.HTTP_500_INTERNAL_SERVER_ERROR else "failed",
        status=status_code,
        error_type=type(error).__name__,
        sqlstate=getattr(diagnosis, "sqlstate", None),
        constraint=getattr(diagnosis, "constraint_name", None),
        error=str(error),
    )


def _make_handler(kind: type[Exception], details: Details) -> Handler:
    status_code, sentence = SENTENCES[kind]

    async def answer(_request: Request, error: Exception) -> Response:
        code, text = status_code, sentence
        if isinstance(error, DBAPIError) and isinstance(error.orig, InsufficientPrivilege):
            code, text = status.HTTP_403_FORBIDDEN, "not permitted"
        _log(error, code)
        return JSONResponse({"detail": text, **details(error)}, code)

    return answer


def add_handlers(app: FastAPI, switches: Switches) -> None:
    """
    Add a handler for each kind of failure, in the form that `errors_hide_internals` chooses.
    """
    details = tell_nothing if switches.errors_hide_internals else tell_internals
    for kind in SENTENCES:
        app.add_exception_handler(kind, _make_handler(kind, details))
