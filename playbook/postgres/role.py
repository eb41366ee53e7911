"""
Owns the parts that a connection can play. Every connection names one.
"""

from __future__ import annotations

from typing import Literal, Protocol, get_args

__all__ = ["ROLES", "HasDsn", "Role"]

Role = Literal["superuser", "owner", "migrator", "app", "backup"]
ROLES: tuple[Role, ...] = get_args(Role)


class HasDsn(Protocol):
    """
    Whatever knows how each role gets in.
    """

    def dsn(self, role: Role) -> str: ...
