"""
Owns keyset paging: a page costs the same wherever it starts, which an offset does not.
"""

from __future__ import annotations

from typing import TypeVar

from pydantic import BaseModel
from sqlalchemy import Select
from sqlalchemy.orm import Session

from knowledge.api.wire.values import Page
from knowledge.models import Event, Row

__all__ = ["read_page"]

Item = TypeVar("Item", bound=Row | Event)
Shape = TypeVar("Shape", bound=BaseModel)


def read_page(
    session: Session, statement: Select[Item], *, model: type[Item], out: type[Shape], after: int, limit: int
) -> Page[Shape]:
    """
    Read the rows of `statement` whose id is above `after`, at most `limit`; one row more tells whether there is more.
    """
    rows = session.scalars(statement.where(model.id > after).order_by(model.id).limit(limit + 1)).all()
    items = [out.model_validate(row) for row in rows[:limit]]
    return Page[Shape](items=items, next_after=rows[limit - 1].id if len(rows) > limit else None)
