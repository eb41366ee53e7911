"""
Owns what is known of the request that is being served, for the lines that are logged about it.
"""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass

__all__ = ["RequestRecord", "begin_record", "current_record"]


@dataclass(slots=True)
class RequestRecord:
    """
    One request. Tenant and user are None until they are established.
    """

    request_id: str
    tenant_id: int | None = None
    user_id: int | None = None
    statements: int = 0


# Handlers run in threads with a copy of the context, so the variable holds an object that all of them share.
_current: ContextVar[RequestRecord | None] = ContextVar("request_record", default=None)


def begin_record(request_id: str) -> RequestRecord:
    """
    Begin the record of the request that this task serves.
    """
    record = RequestRecord(request_id)
    _current.set(record)
    return record


def current_record() -> RequestRecord | None:
    """
    Read the record of the request being served, None outside of one.
    """
    return _current.get()
