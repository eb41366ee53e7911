"""
Owns the values that all shapes are made of, and how a page of them looks.
"""

from __future__ import annotations

from typing import Annotated, Generic, TypeVar

from fastapi import Path, Query
from pydantic import BaseModel, ConfigDict, Field, JsonValue, StringConstraints

__all__ = [
    "Email",
    "Id",
    "In",
    "Limit",
    "LooseEmail",
    "Metadata",
    "Name",
    "Out",
    "Page",
    "PageStart",
    "PathId",
    "Search",
    "Slug",
    "Text",
]

LARGEST_ID = 2**63 - 1
Id = Annotated[int, Field(ge=1, le=LARGEST_ID)]
PathId = Annotated[Id, Path(description="The object's id.")]
PageStart = Annotated[int, Query(ge=0, le=LARGEST_ID, description="The id after which the page starts.")]
Limit = Annotated[int, Query(ge=1, le=200, description="How many items a page holds at most.")]
Search = Annotated[str, Query(min_length=1, max_length=200, description="What to look for.")]

Email = Annotated[
    str,
    StringConstraints(strip_whitespace=True, to_lower=True, max_length=254, pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$"),
]
LooseEmail = Annotated[str, StringConstraints(strip_whitespace=True, to_lower=True, max_length=254)]
"""For looking up: an address that cannot exist is simply not found."""
Slug = Annotated[str, StringConstraints(min_length=2, max_length=63, pattern=r"^[a-z0-9](-?[a-z0-9])*$")]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=300)]
Text = Annotated[str, StringConstraints(max_length=200_000)]
Metadata = dict[str, JsonValue]
Item = TypeVar("Item")


class In(BaseModel):
    """
    What comes in: a field that nobody declared is refused.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")


class Out(BaseModel):
    """
    What goes out: the declared fields of a row, and no other.
    """

    model_config = ConfigDict(frozen=True, from_attributes=True)


class Page(Out, Generic[Item]):
    """
    One page in the order of ids; `next_after` is where the next one starts, null at the end.
    """

    items: list[Item]
    next_after: int | None
