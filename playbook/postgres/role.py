"""
Owns the parts that a connection can play. Every connection names one.
"""

from __future__ import annotations

from typing import Literal, Protocol

__all__ = ["HasDsn", "Role"]

Role = Literal["superuser", "owner", "migrator", "app", "backup"]


class HasDsn(Protocol):
    """
    Whatever knows how each role gets in.
    """

    def dsn(self, role: Role) -> str: ...
