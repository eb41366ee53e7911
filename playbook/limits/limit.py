"""
Owns the form of one declared limit: which requests it counts, for whom, in which windows, and how it is asked.
"""

from __future__ import annotations

import re
from functools import cached_property
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue, field_validator

__all__ = ["SHORTEST_SCALED_S", "Limit", "PathText", "Window"]

SHORTEST_SCALED_S = 5
"""A window is never scaled below this; one that is declared shorter stays as it is."""

_KEY_PART = re.compile(r"ip|user|tenant|global|header:[A-Za-z0-9-]+|json:\w+")


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Window(_Section):
    """
    So many requests in so many seconds.
    """

    requests: int = Field(ge=1, le=100_000)
    seconds: int = Field(ge=1, le=31 * 86400)

    def scaled(self, factor: float) -> Window:
        """
        Shorten the window as the service does in a rehearsal: to whole seconds, not below SHORTEST_SCALED_S.
        """
        seconds = min(self.seconds, max(SHORTEST_SCALED_S, round(self.seconds * factor)))
        return self.model_copy(update={"seconds": seconds})


def _key(value: str) -> str:
    wrong = [part for part in value.split("+") if not _KEY_PART.fullmatch(part)]
    if wrong:
        msg = f"{wrong[0]!r} is not one of ip, user, tenant, global, header:NAME, json:FIELD (joined by +)"
        raise ValueError(msg)
    return value


def _path(value: str) -> str:
    if not re.fullmatch(r"/[!-~]*", value):
        msg = "a path begins with / and holds no space"
        raise ValueError(msg)
    return value


PathText = Annotated[str, AfterValidator(_path)]
"""A path that begins with / and holds no space."""


class Limit(_Section):
    """
    One limit, and the request by which it is asked. `{key}` in `headers` and `json` holds the caller's own key.

    `covers` lists `METHOD PATH` with `*`, where more than one route counts together; default: its own.
    """

    id: str = Field(pattern=r"^[a-z][a-z0-9-]{0,40}$")
    method: Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"] = "GET"
    path: PathText
    headers: dict[str, str] = {}
    json_body: dict[str, JsonValue] | None = Field(default=None, alias="json")
    key: Annotated[str, AfterValidator(_key)]
    windows: tuple[Window, ...] = Field(min_length=1)
    counted_status: tuple[Annotated[int, Field(ge=100, le=599)], ...] = ()
    covers: tuple[Annotated[str, Field(pattern=r"^([A-Z]+|\*) /\S*$")], ...] = ()
    algorithm: Literal["fixed", "sliding", "token-bucket", "leaky-bucket"] | None = None
    retry_after: Literal["required", "optional"] = "optional"
    max_burst: float | None = Field(default=None, ge=1)

    @field_validator("windows")
    @classmethod
    def _ordered(cls, value: tuple[Window, ...]) -> tuple[Window, ...]:
        if len({window.seconds for window in value}) != len(value):
            msg = "two windows have the same length"
            raise ValueError(msg)
        return tuple(sorted(value, key=lambda window: window.seconds))

    @property
    def key_parts(self) -> tuple[str, ...]:
        """The parts of the key."""
        return tuple(self.key.split("+"))

    @property
    def binding(self) -> Window:
        """The window that a burst meets first: the fewest requests, of those the longest."""
        return min(self.windows, key=lambda window: (window.requests, -window.seconds))

    @cached_property
    def _patterns(self) -> tuple[re.Pattern[str], ...]:
        wanted = self.covers or (f"{self.method} {self.path}",)
        return tuple(re.compile(re.escape(one).replace(r"\*", ".*")) for one in wanted)

    def applies(self, method: str, path: str) -> bool:
        """
        Say whether a request falls under this limit. Read-only.
        """
        return any(pattern.fullmatch(f"{method} {path}") for pattern in self._patterns)

    def admits(self, status: int) -> bool:
        """
        Say whether this status means that the request was let through.
        """
        if self.counted_status:
            return status in self.counted_status
        return 100 <= status < 500 and status not in (403, 429)  # noqa: PLR2004 (HTTP's own classes)
