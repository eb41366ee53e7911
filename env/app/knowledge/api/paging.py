"""
Owns keyset paging: a page costs the same wherever it starts, which an offset does not.
"""

from __future__ import annotations

from typing import TypeVar

from pydantic import BaseModel
from sqlalchemy import Select
from sqlalchemy.orm import Session

from knowledge.api.wire import Page
from knowledge.models import Model

__all__ = ["read_page"]

Row = TypeVar("Row", bound=Model)
Out = TypeVar("Out", bound=BaseModel)


def read_page(
    session: Session, statement: Select[Row], *, model: type[Row], out: type[Out], after: int, limit: int
) -> Page[Out]:
    """
    Read the rows of `statement` whose id is above `after`, at most `limit`; one row more tells whether there is more.
    """
    rows = session.scalars(statement.where(model.id > after).order_by(model.id).limit(limit + 1)).all()
    items = [out.model_validate(row) for row in rows[:limit]]
    return Page[Out](items=items, next_after=rows[limit - 1].id if len(rows) > limit else None)
