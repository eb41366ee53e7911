"""
Owns the steps about indexes and the keys that stand on them, built beside the traffic.

Sources: PostgreSQL manual sections 13.3.1 (locks), CREATE INDEX.
"""

from __future__ import annotations

from dataclasses import replace

from psycopg import sql

from playbook.tenancy import catalogue_done as known
from playbook.tenancy.migrated_table import MigratedTable
from playbook.tenancy.steps import Lock, Step

__all__ = ["drop_index", "index", "unique"]


def unique(table: MigratedTable, *columns: str) -> tuple[Step, ...]:
    """
    Make columns unique: the index beside the traffic, then the constraint from it.
    """
    name = "_".join((table.table, *columns, "key"))
    named = sql.Identifier(name)
    index = _index(table, name, columns, unique=True)
    promote = Step(
        id=f"{table.table}.{'-'.join(columns)}-key",
        title=f"({', '.join(columns)}) is a key of {table.table}",
        sql=(table.spell("ALTER TABLE {table} ADD CONSTRAINT {name} UNIQUE USING INDEX {name}", name=named),),
        lock=Lock("ACCESS EXCLUSIVE", table.name),
        effect="brief",
        undo=(table.spell("ALTER TABLE {table} DROP CONSTRAINT {name}", name=named),),
        done=known.constraint_exists(table.name, name),
    )
    return index, promote


def index(table: MigratedTable, *columns: str) -> tuple[Step, ...]:
    """
    Make an index beside the traffic: on a partitioned table one per partition, then their parent from them.
    """
    name = "_".join((table.table, *columns, "idx"))
    if not table.partitions:
        return (_index(table, name, columns, unique=False),)
    parts = [step for part in table.partitions for step in index(replace(table, table=part, partitions=()), *columns)]
    return (*parts, _index_above(table, name, columns))


def _index_above(table: MigratedTable, name: str, columns: tuple[str, ...]) -> Step:
    full = sql.Identifier(table.schema, name)
    attach = sql.SQL("ALTER INDEX {full} ATTACH PARTITION {part}")
    return Step(
        id=f"{table.table}.{'-'.join(columns)}-index",
        title=f"Index {table.table} by ({', '.join(columns)})",
        sql=(
            table.spell(
                "CREATE INDEX {name} ON ONLY {table} ({columns})",
                name=sql.Identifier(name),
                columns=sql.SQL(", ").join(map(sql.Identifier, columns)),
            ),
            *(
                attach.format(full=full, part=sql.Identifier(table.schema, _index_name(part, columns)))
                for part in table.partitions
            ),
        ),
        lock=Lock("SHARE", table.name),
        effect="brief",
        undo=(sql.SQL("DROP INDEX IF EXISTS {full}").format(full=full),),
        done=known.index_valid(table.name, name),
    )


def _index(table: MigratedTable, name: str, columns: tuple[str, ...], *, unique: bool) -> Step:
    full = sql.Identifier(table.schema, name)
    kind = sql.SQL("UNIQUE INDEX" if unique else "INDEX")
    drop = sql.SQL("DROP INDEX CONCURRENTLY IF EXISTS {full}").format(full=full)
    create = table.spell(
        "CREATE {kind} CONCURRENTLY {name} ON {table} ({columns})",
        kind=kind,
        name=sql.Identifier(name),
        columns=sql.SQL(", ").join(map(sql.Identifier, columns)),
    )
    return Step(
        id=f"{table.table}.{'-'.join(columns)}-index",
        title=f"Index {table.table} by ({', '.join(columns)})",
        # A killed build leaves an invalid index of that name, which IF NOT EXISTS would take for done.
        sql=(drop, create),
        lock=Lock("SHARE UPDATE EXCLUSIVE", table.name),
        effect="scan",
        undo=(drop,),
        done=known.index_valid(table.name, name),
        form="alone",
    )


def drop_index(table: MigratedTable, name: str, column: str) -> Step:
    """
    Drop an index that another one supersedes.
    """
    full = sql.Identifier(table.schema, name)
    beside = sql.SQL("" if table.partitions else "CONCURRENTLY ")
    return Step(
        id=f"{table.table}.drop-{name.removeprefix(f'{table.table}_').replace('_', '-')}",
        title=f"Drop {name}, superseded",
        sql=(sql.SQL("DROP INDEX {beside}IF EXISTS {full}").format(full=full, beside=beside),),
        lock=Lock("ACCESS EXCLUSIVE" if table.partitions else "SHARE UPDATE EXCLUSIVE", table.name),
        effect="brief",
        undo=(
            table.spell(
                "CREATE INDEX {beside}{name} ON {table} ({column})",
                beside=beside,
                name=sql.Identifier(name),
                column=sql.Identifier(column),
            ),
        ),
        done=known.index_gone(table.name, name),
        form="transaction" if table.partitions else "alone",
    )


def _index_name(table: str, columns: tuple[str, ...]) -> str:
    return "_".join((table, *columns, "idx"))
