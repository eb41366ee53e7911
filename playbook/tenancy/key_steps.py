"""
Owns the steps that give a table its tenant key: added, filled along a foreign key, required.

Sources: PostgreSQL manual sections 13.3.1 (locks), ALTER TABLE.
"""

from __future__ import annotations

from psycopg import sql

from playbook.tenancy import catalogue_done as known
from playbook.tenancy.constraint_steps import validate
from playbook.tenancy.migrated_table import MigratedTable
from playbook.tenancy.steps import Lock, Step

__all__ = ["add_key", "analyze", "backfill", "default_key", "require_key"]

BATCH_ROWS = 2000


def add_key(table: MigratedTable) -> Step:
    """
    Add the tenant's column, nullable and without default: with one, every old row would get a tenant.
    """
    return Step(
        id=f"{table.table}.add-key",
        title=f"Give {table.table} a tenant key",
        sql=(table.spell("ALTER TABLE {table} ADD COLUMN {key} bigint"),),
        lock=Lock("ACCESS EXCLUSIVE", table.name),
        effect="brief",
        undo=(table.spell("ALTER TABLE {table} DROP COLUMN {key}"),),
        done=known.column_exists(table.name, table.key),
    )


def default_key(table: MigratedTable) -> Step:
    """
    Let new rows take the bound tenant. In a statement of its own, so that no old row is touched.
    """
    return Step(
        id=f"{table.table}.default-key",
        title=f"New rows of {table.table} take the bound tenant",
        sql=(table.spell("ALTER TABLE {table} ALTER COLUMN {key} SET DEFAULT {bound}", bound=table.bound),),
        lock=Lock("ACCESS EXCLUSIVE", table.name),
        effect="brief",
        undo=(table.spell("ALTER TABLE {table} ALTER COLUMN {key} DROP DEFAULT"),),
        done=known.default_is_context(table.name, table.key, table.setting),
    )


def backfill(table: MigratedTable, *, parent: str, column: str, orphans: bool = False) -> Step:
    """
    Give each row its parent's tenant, in batches. A row without an owner stays null.

    Unless such `orphans` are expected, to be put into quarantine, the step does not stand then and the plan
    stops. Triggers rest while a batch runs: one that notes the time of a change would change every row.
    """
    left = table.spell(
        "SELECT FROM {table} c JOIN {parent} p ON p.id = c.{column} WHERE c.{key} IS NULL AND p.{key} IS NOT NULL"
        if orphans
        else "SELECT FROM {table} WHERE {key} IS NULL",
        parent=sql.Identifier(table.schema, parent),
        column=sql.Identifier(column),
    )
    return Step(
        id=f"{table.table}.backfill",
        title=f"Rows of {table.table} take the tenant of their {parent}",
        sql=(
            table.spell(
                "WITH quiet AS MATERIALIZED (SELECT set_config('session_replication_role', 'replica', true)),"
                " batch AS (SELECT c.id, p.{key} AS owner FROM quiet, {table} c"
                " JOIN {parent} p ON p.id = c.{column}"
                " WHERE c.{key} IS NULL AND p.{key} IS NOT NULL ORDER BY c.id LIMIT {rows})"
                " UPDATE {table} t SET {key} = batch.owner FROM batch WHERE t.id = batch.id",
                parent=sql.Identifier(table.schema, parent),
                column=sql.Identifier(column),
                rows=sql.Literal(BATCH_ROWS),
            ),
        ),
        lock=Lock("ROW EXCLUSIVE", table.name),
        effect="scan",
        undo=(),
        done=sql.SQL("SELECT NOT EXISTS ({left})").format(left=left),
        form="batches",
    )


def require_key(table: MigratedTable, *, server_major: int) -> tuple[Step, ...]:
    """
    Refuse rows without a tenant: first new ones, then, after a scan that blocks no writer, all.

    PostgreSQL 18 has NOT NULL … NOT VALID; before it a CHECK stands in until SET NOT NULL trusts it.
    """
    name = f"{table.table}_{table.key}_not_null"
    named = sql.Identifier(name)
    rule = table.spell("NOT NULL {key}" if server_major >= 18 else "CHECK ({key} IS NOT NULL)")  # noqa: PLR2004
    refuse = Step(
        id=f"{table.table}.require-key",
        title=f"Refuse new rows of {table.table} without a tenant",
        sql=(table.spell("ALTER TABLE {table} ADD CONSTRAINT {name} {rule} NOT VALID", name=named, rule=rule),),
        lock=Lock("ACCESS EXCLUSIVE", table.name),
        effect="brief",
        undo=(table.spell("ALTER TABLE {table} DROP CONSTRAINT {name}", name=named),),
        done=known.constraint_exists(table.name, name),
    )
    checked = validate(table, name, f"{table.table}.require-key-validate", f"Every row of {table.table} has a tenant")
    if server_major >= 18:  # noqa: PLR2004
        return refuse, checked
    trust = Step(
        id=f"{table.table}.require-key-trust",
        title=f"The key of {table.table} is NOT NULL",
        sql=(table.spell("ALTER TABLE {table} ALTER COLUMN {key} SET NOT NULL"),),
        lock=Lock("ACCESS EXCLUSIVE", table.name),
        effect="brief",
        undo=(table.spell("ALTER TABLE {table} ALTER COLUMN {key} DROP NOT NULL"),),
        done=sql.SQL(
            "SELECT attnotnull FROM pg_attribute WHERE attrelid = {table}::regclass AND attname = {key}"
        ).format(table=sql.Literal(table.name), key=sql.Literal(table.key)),
    )
    return refuse, checked, trust


def analyze(table: MigratedTable) -> Step:
    """
    Let the planner know the new column.
    """
    return Step(
        id=f"{table.table}.analyze",
        title=f"Statistics of {table.table}",
        sql=(table.spell("ANALYZE {table}"),),
        lock=Lock("SHARE UPDATE EXCLUSIVE", table.name),
        effect="scan",
        undo=(),
        done=sql.SQL(
            "SELECT c.reltuples = 0 OR EXISTS (SELECT FROM pg_statistic s JOIN pg_attribute a"
            " ON a.attrelid = s.starelid AND a.attnum = s.staattnum"
            " WHERE s.starelid = c.oid AND a.attname = {key}) FROM pg_class c WHERE c.oid = {table}::regclass"
        ).format(key=sql.Literal(table.key), table=sql.Literal(table.name)),
    )
