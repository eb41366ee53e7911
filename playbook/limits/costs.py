"""
Owns the form of a declared cap on what a user may spend, and the request that spends.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from playbook.limits.limit import Limit, PathText, Window

__all__ = ["Cap", "Cost", "Usage"]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Usage(_Section):
    """
    Where a user's own spending is read: a list with one item a month (`YYYY-MM…`) and its cost.
    """

    path: PathText
    month: str
    cost: str


class Cap(_Section):
    """
    Where the cap stands in the database; on a throw-away copy it is lowered there, so that a few calls reach it.
    """

    relation: Annotated[str, Field(pattern=r"^[^.]+\.[^.]+$")]
    column: str


class Cost(_Section):
    """
    One capped spending. The same request must cost the same each time.
    """

    id: str = Field(pattern=r"^[a-z][a-z0-9-]{0,40}$")
    method: str = "POST"
    path: PathText
    headers: dict[str, str] = {}
    json_body: dict[str, JsonValue] | None = Field(default=None, alias="json")
    usage: Usage
    cap: Cap

    @property
    def asked(self) -> Limit:
        """
        See the request as one that a user's limit is asked by.
        """
        form: dict[str, object] = {
            "id": self.id,
            "method": self.method,
            "path": self.path,
            "headers": self.headers,
            "json": self.json_body,
            "key": "user",
            "windows": (Window(requests=1, seconds=1),),
        }
        return Limit.model_validate(form)
