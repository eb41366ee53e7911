"""
Owns the steps about constraints: added for new rows, validated for all, dropped once others supersede them.

Sources: PostgreSQL manual sections 13.3.1 (locks), ALTER TABLE.
"""

from __future__ import annotations

from typing import LiteralString

from psycopg import sql

from playbook.tenancy import catalogue_done as known
from playbook.tenancy.migrated_table import MigratedTable
from playbook.tenancy.steps import Lock, Step

__all__ = ["drop_constraint", "reference", "validate"]


def reference(
    table: MigratedTable,
    name: str,
    columns: tuple[str, ...],
    *,
    parent: str,
    parents: tuple[str, ...],
    server_major: int,
    on_delete: LiteralString = "",
) -> tuple[Step, ...]:
    """
    Reference a parent's key: first for new rows, then, after a scan, for all. Before FORCE, under which it lies.

    On a partitioned table NOT VALID needs PostgreSQL 18; before it the scan happens under the lock.
    """
    at_once = bool(table.partitions) and server_major < 18  # noqa: PLR2004
    named = sql.Identifier(name)
    add = Step(
        id=f"{table.table}.{parent}-reference",
        title=f"New rows of {table.table} reference {parent} ({', '.join(parents)})",
        sql=(
            table.spell(
                "ALTER TABLE {table} ADD CONSTRAINT {name} FOREIGN KEY ({columns})"
                " REFERENCES {parent} ({parents}){on_delete}{later}",
                name=named,
                later=sql.SQL("" if at_once else " NOT VALID"),
                columns=sql.SQL(", ").join(map(sql.Identifier, columns)),
                parent=sql.Identifier(table.schema, parent),
                parents=sql.SQL(", ").join(map(sql.Identifier, parents)),
                on_delete=sql.SQL(f" {on_delete}" if on_delete else ""),
            ),
        ),
        lock=Lock("SHARE ROW EXCLUSIVE", f"{table.name} and {table.schema}.{parent}"),
        effect="scan" if at_once else "brief",
        undo=(table.spell("ALTER TABLE {table} DROP CONSTRAINT {name}", name=named),),
        done=known.constraint_exists(table.name, name),
    )
    title = f"Every row of {table.table} references {parent} ({', '.join(parents)})"
    return add, validate(table, name, f"{table.table}.{parent}-reference-validate", title)


def validate(table: MigratedTable, name: str, step_id: str, title: str) -> Step:
    """
    Check a constraint for the rows that are there, with a scan that blocks no writer.
    """
    return Step(
        id=step_id,
        title=title,
        sql=(table.spell("ALTER TABLE {table} VALIDATE CONSTRAINT {name}", name=sql.Identifier(name)),),
        lock=Lock("SHARE UPDATE EXCLUSIVE", table.name),
        effect="scan",
        undo=(),
        done=known.constraint_valid(table.name, name),
    )


def drop_constraint(table: MigratedTable, name: str, definition: sql.Composable) -> Step:
    """
    Drop a key that another one supersedes; `definition` puts it back.
    """
    named = sql.Identifier(name)
    return Step(
        id=f"{table.table}.drop-{name.removeprefix(f'{table.table}_').replace('_', '-')}",
        title=f"Drop {name}, superseded",
        sql=(table.spell("ALTER TABLE {table} DROP CONSTRAINT {name}", name=named),),
        lock=Lock("ACCESS EXCLUSIVE", table.name),
        effect="brief",
        undo=(
            table.spell("ALTER TABLE {table} ADD CONSTRAINT {name} {definition}", name=named, definition=definition),
        ),
        done=known.constraint_gone(table.name, name),
    )
