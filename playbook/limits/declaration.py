"""
Owns the form of a declaration of rate limits: what is limited, how to ask, and what must hold (issue 10, §7).
"""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from playbook.limits.costs import Cost
from playbook.limits.limit import SHORTEST_SCALED_S, Limit, PathText, Window
from playbook.target.document import read_document

__all__ = ["SHORTEST_SCALED_S", "Declaration", "Limit", "Store", "WhenDown", "Window", "read_declaration"]

WhenDown = Literal["closed", "open", "local"]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Store(_Section):
    """
    Where the service counts, and what it does without. With a URL or commands the prober can make it fail.
    """

    kind: Literal["redis"] = "redis"
    url: str | None = None
    when_down: WhenDown = "closed"
    disposable: bool = False
    stop: tuple[str, ...] = ()
    start: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _only_what_may_be_broken(self) -> Store:
        if self.url is not None and self.disposable and not _loopback(self.url):
            msg = "only a store on loopback can be disposable"
            raise ValueError(msg)
        return self


class Declaration(_Section):
    """
    Everything that is declared about limits.

    `exempt` are paths; `credentials` a file with one user's value a line; `costs` what users may spend.
    """

    limits: tuple[Limit, ...] = Field(min_length=1)
    exempt: tuple[PathText, ...] = ()
    trusted_proxies: tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...] = ()
    store: Store | None = None
    credentials: Path | None = None
    costs: tuple[Cost, ...] = ()

    @field_validator("limits")
    @classmethod
    def _distinct(cls, value: tuple[Limit, ...]) -> tuple[Limit, ...]:
        names = [limit.id for limit in value]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            msg = f"limit {twice[0]!r} stands twice"
            raise ValueError(msg)
        return value

    def scaled(self, factor: float) -> Declaration:
        """
        Scale every window.
        """
        limits = tuple(
            one.model_copy(update={"windows": tuple(window.scaled(factor) for window in one.windows)})
            for one in self.limits
        )
        return self.model_copy(update={"limits": limits})


def _loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def read_declaration(path: Path) -> Declaration:
    """
    Read a declaration; `credentials` in it starts at the file. Read-only.

    Raises InputError naming file, line and field.
    """
    declaration = read_document(path, Declaration)
    if declaration.credentials is not None:
        return declaration.model_copy(update={"credentials": (path.parent / declaration.credentials).resolve()})
    return declaration
