"""
Owns the file of declared limits (KB_LIMITS_FILE): what it says, and which limits a request falls under.
"""

from __future__ import annotations

import ipaddress
import re
from functools import cached_property
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from knowledge.refusal import Refusal

__all__ = ["Declared", "DeclaredLimit", "Window", "read_declared"]

SETTING = "KB_LIMITS_FILE"
SHORTEST_SCALED_S = 5
"""A window is never scaled below this; one that is declared shorter stays as it is."""

WhenDown = Literal["closed", "open", "local"]


class _Read(BaseModel):
    # The file also tells a prober how to ask; that is none of the service's business.
    model_config = ConfigDict(frozen=True, extra="ignore")


class Window(_Read):
    """
    So many requests in so many seconds.
    """

    requests: int = Field(ge=1)
    seconds: int = Field(ge=1)

    def scaled(self, factor: float) -> Window:
        """
        Shorten the window, to whole seconds, for a rehearsal.
        """
        seconds = min(self.seconds, max(SHORTEST_SCALED_S, round(self.seconds * factor)))
        return self.model_copy(update={"seconds": seconds})


class DeclaredLimit(_Read):
    """
    One limit: its windows, whose requests are counted together, and which requests it covers.

    `covers` holds `METHOD PATH`, either with `*`; without it the limit is about its own method and path.
    """

    id: str
    method: str = "GET"
    path: str
    key: str
    windows: tuple[Window, ...] = Field(min_length=1)
    covers: tuple[str, ...] = ()

    @cached_property
    def _patterns(self) -> tuple[re.Pattern[str], ...]:
        wanted = self.covers or (f"{self.method} {self.path}",)
        return tuple(re.compile(re.escape(one).replace(r"\*", ".*")) for one in wanted)

    def applies(self, method: str, path: str) -> bool:
        """
        Say whether a request falls under this limit.
        """
        return any(pattern.fullmatch(f"{method} {path}") for pattern in self._patterns)


class _Store(_Read):
    when_down: WhenDown = "closed"


class Declared(_Read):
    """
    The whole file. `trusted_proxies` are the addresses and networks whose X-Forwarded-For is believed.
    """

    limits: tuple[DeclaredLimit, ...]
    exempt: tuple[str, ...] = ()
    trusted_proxies: tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...] = ()
    store: _Store = _Store()

    def scaled(self, factor: float) -> Declared:
        """
        Scale every window.
        """
        limits = tuple(
            one.model_copy(update={"windows": tuple(window.scaled(factor) for window in one.windows)})
            for one in self.limits
        )
        return self.model_copy(update={"limits": limits})

    def trusting(self, proxies: tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]) -> Declared:
        """
        Believe these proxies too.
        """
        return self.model_copy(update={"trusted_proxies": (*self.trusted_proxies, *proxies)})


def read_declared(path: Path) -> Declared:
    """
    Read the file. Raises Refusal when it cannot be read or understood.
    """
    try:
        return Declared.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise Refusal(SETTING, f"cannot be read: {error}") from None
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the document"
        raise Refusal(SETTING, f"{where}: {first['msg'].lower()}") from None
