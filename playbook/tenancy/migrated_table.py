"""
Owns what the steps of a migration know of the table that they are about.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import LiteralString

from psycopg import sql

__all__ = ["MigratedTable"]


@dataclass(frozen=True, slots=True)
class MigratedTable:
    """
    One table on its way to isolation.

    `key` is the tenant's column there (for the root its own id), `setting` the one that holds the bound tenant,
    `roles` those that read and write their own tenant's rows, `readers` those that only read them, `partitions` the
    tables that it is made of.
    """

    schema: str
    table: str
    key: str
    setting: str
    roles: tuple[str, ...]
    readers: tuple[str, ...] = ()
    partitions: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The table as `schema.name`."""
        return f"{self.schema}.{self.table}"

    @property
    def bound(self) -> sql.Composed:
        """The tenant that is bound to the transaction; null when none, or an empty one, is."""
        return sql.SQL("nullif(current_setting({setting}, true), '')::bigint").format(setting=sql.Literal(self.setting))

    def spell(self, text: LiteralString, **parts: sql.Composable) -> sql.Composed:
        """
        Compose a statement about it: {table} and {key} are known.
        """
        return sql.SQL(text).format(
            table=sql.Identifier(self.schema, self.table), key=sql.Identifier(self.key), **parts
        )
