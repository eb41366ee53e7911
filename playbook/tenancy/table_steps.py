"""
Owns the steps that one table takes on its way to isolation, each in the form that was measured to stall nobody.

Sources: PostgreSQL manual sections 13.3.1 (locks), ALTER TABLE, CREATE INDEX, 5.9 (row security).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import LiteralString

from psycopg import sql

from playbook.tenancy import catalogue_done as known
from playbook.tenancy.steps import Lock, Step

__all__ = ["POLICY", "TableSteps"]

POLICY = "tenant_isolation"
BATCH_ROWS = 2000


@dataclass(frozen=True, slots=True)
class TableSteps:
    """
    Makes the steps of one table; they change nothing until they are applied.

    `key` is the tenant's column there (for the root its own id), `setting` the one that holds the bound tenant,
    `roles` those that the policy is for, `partitions` the tables that it is made of.
    """

    schema: str
    table: str
    key: str
    setting: str
    roles: tuple[str, ...]
    partitions: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The table as `schema.name`."""
        return f"{self.schema}.{self.table}"

    @property
    def bound(self) -> sql.Composed:
        """The tenant that is bound to the transaction; null when none, or an empty one, is."""
        return sql.SQL("nullif(current_setting({setting}, true), '')::bigint").format(setting=sql.Literal(self.setting))

    def _sql(self, text: LiteralString, **parts: sql.Composable) -> sql.Composed:
        return sql.SQL(text).format(
            table=sql.Identifier(self.schema, self.table), key=sql.Identifier(self.key), **parts
        )

    def add_key(self) -> Step:
        """
        Add the tenant's column, nullable and without default: with one, every old row would get a tenant.
        """
        return Step(
            id=f"{self.table}.add-key",
            title=f"Give {self.table} a tenant key",
            sql=(self._sql("ALTER TABLE {table} ADD COLUMN {key} bigint"),),
            lock=Lock("ACCESS EXCLUSIVE", self.name),
            effect="brief",
            undo=(self._sql("ALTER TABLE {table} DROP COLUMN {key}"),),
            done=known.column_exists(self.name, self.key),
        )

    def default_key(self) -> Step:
        """
        Let new rows take the bound tenant. In a statement of its own, so that no old row is touched.
        """
        return Step(
            id=f"{self.table}.default-key",
            title=f"New rows of {self.table} take the bound tenant",
            sql=(self._sql("ALTER TABLE {table} ALTER COLUMN {key} SET DEFAULT {bound}", bound=self.bound),),
            lock=Lock("ACCESS EXCLUSIVE", self.name),
            effect="brief",
            undo=(self._sql("ALTER TABLE {table} ALTER COLUMN {key} DROP DEFAULT"),),
            done=known.default_is_context(self.name, self.key, self.setting),
        )

    def backfill(self, *, parent: str, column: str, orphans: bool = False) -> Step:
        """
        Give each row its parent's tenant, in batches. A row without an owner stays null.

        Unless such `orphans` are expected, to be put into quarantine, the step does not stand then and the plan
        stops. Triggers rest while a batch runs: one that notes the time of a change would change every row.
        """
        left = self._sql(
            "SELECT FROM {table} c JOIN {parent} p ON p.id = c.{column} WHERE c.{key} IS NULL AND p.{key} IS NOT NULL"
            if orphans
            else "SELECT FROM {table} WHERE {key} IS NULL",
            parent=sql.Identifier(self.schema, parent),
            column=sql.Identifier(column),
        )
        return Step(
            id=f"{self.table}.backfill",
            title=f"Rows of {self.table} take the tenant of their {parent}",
            sql=(
                self._sql(
                    "WITH quiet AS MATERIALIZED (SELECT set_config('session_replication_role', 'replica', true)),"
                    " batch AS (SELECT c.id, p.{key} AS owner FROM quiet, {table} c"
                    " JOIN {parent} p ON p.id = c.{column}"
                    " WHERE c.{key} IS NULL AND p.{key} IS NOT NULL ORDER BY c.id LIMIT {rows})"
                    " UPDATE {table} t SET {key} = batch.owner FROM batch WHERE t.id = batch.id",
                    parent=sql.Identifier(self.schema, parent),
                    column=sql.Identifier(column),
                    rows=sql.Literal(BATCH_ROWS),
                ),
            ),
            lock=Lock("ROW EXCLUSIVE", self.name),
            effect="scan",
            undo=(),
            done=sql.SQL("SELECT NOT EXISTS ({left})").format(left=left),
            form="batches",
        )

    def require_key(self, *, server_major: int) -> tuple[Step, ...]:
        """
        Refuse rows without a tenant: first new ones, then, after a scan that blocks no writer, all.

        PostgreSQL 18 has NOT NULL … NOT VALID; before it a CHECK stands in until SET NOT NULL trusts it.
        """
        name = f"{self.table}_{self.key}_not_null"
        named = sql.Identifier(name)
        rule = self._sql("NOT NULL {key}" if server_major >= 18 else "CHECK ({key} IS NOT NULL)")  # noqa: PLR2004
        refuse = Step(
            id=f"{self.table}.require-key",
            title=f"Refuse new rows of {self.table} without a tenant",
            sql=(self._sql("ALTER TABLE {table} ADD CONSTRAINT {name} {rule} NOT VALID", name=named, rule=rule),),
            lock=Lock("ACCESS EXCLUSIVE", self.name),
            effect="brief",
            undo=(self._sql("ALTER TABLE {table} DROP CONSTRAINT {name}", name=named),),
            done=known.constraint_exists(self.name, name),
        )
        validate = self._validate(name, f"{self.table}.require-key-validate", f"Every row of {self.table} has a tenant")
        if server_major >= 18:  # noqa: PLR2004
            return refuse, validate
        trust = Step(
            id=f"{self.table}.require-key-trust",
            title=f"The key of {self.table} is NOT NULL",
            sql=(self._sql("ALTER TABLE {table} ALTER COLUMN {key} SET NOT NULL"),),
            lock=Lock("ACCESS EXCLUSIVE", self.name),
            effect="brief",
            undo=(self._sql("ALTER TABLE {table} ALTER COLUMN {key} DROP NOT NULL"),),
            done=sql.SQL(
                "SELECT attnotnull FROM pg_attribute WHERE attrelid = {table}::regclass AND attname = {key}"
            ).format(table=sql.Literal(self.name), key=sql.Literal(self.key)),
        )
        return refuse, validate, trust

    def unique(self, *columns: str) -> tuple[Step, ...]:
        """
        Make columns unique: the index beside the traffic, then the constraint from it.
        """
        name = "_".join((self.table, *columns, "key"))
        named = sql.Identifier(name)
        index = self._index(name, columns, unique=True)
        promote = Step(
            id=f"{self.table}.{'-'.join(columns)}-key",
            title=f"({', '.join(columns)}) is a key of {self.table}",
            sql=(self._sql("ALTER TABLE {table} ADD CONSTRAINT {name} UNIQUE USING INDEX {name}", name=named),),
            lock=Lock("ACCESS EXCLUSIVE", self.name),
            effect="brief",
            undo=(self._sql("ALTER TABLE {table} DROP CONSTRAINT {name}", name=named),),
            done=known.constraint_exists(self.name, name),
        )
        return index, promote

    def index(self, *columns: str) -> tuple[Step, ...]:
        """
        Make an index beside the traffic: on a partitioned table one per partition, then their parent from them.
        """
        name = "_".join((self.table, *columns, "idx"))
        if not self.partitions:
            return (self._index(name, columns, unique=False),)
        parts = [step for part in self.partitions for step in replace(self, table=part, partitions=()).index(*columns)]
        return (*parts, self._index_above(name, columns))

    def _index_above(self, name: str, columns: tuple[str, ...]) -> Step:
        full = sql.Identifier(self.schema, name)
        attach = sql.SQL("ALTER INDEX {full} ATTACH PARTITION {part}")
        return Step(
            id=f"{self.table}.{'-'.join(columns)}-index",
            title=f"Index {self.table} by ({', '.join(columns)})",
            sql=(
                self._sql(
                    "CREATE INDEX {name} ON ONLY {table} ({columns})",
                    name=sql.Identifier(name),
                    columns=sql.SQL(", ").join(map(sql.Identifier, columns)),
                ),
                *(
                    attach.format(full=full, part=sql.Identifier(self.schema, _index_name(part, columns)))
                    for part in self.partitions
                ),
            ),
            lock=Lock("SHARE", self.name),
            effect="brief",
            undo=(sql.SQL("DROP INDEX IF EXISTS {full}").format(full=full),),
            done=known.index_valid(self.name, name),
        )

    def _index(self, name: str, columns: tuple[str, ...], *, unique: bool) -> Step:
        full = sql.Identifier(self.schema, name)
        kind = sql.SQL("UNIQUE INDEX" if unique else "INDEX")
        drop = sql.SQL("DROP INDEX CONCURRENTLY IF EXISTS {full}").format(full=full)
        create = self._sql(
            "CREATE {kind} CONCURRENTLY {name} ON {table} ({columns})",
            kind=kind,
            name=sql.Identifier(name),
            columns=sql.SQL(", ").join(map(sql.Identifier, columns)),
        )
        return Step(
            id=f"{self.table}.{'-'.join(columns)}-index",
            title=f"Index {self.table} by ({', '.join(columns)})",
            # A killed build leaves an invalid index of that name, which IF NOT EXISTS would take for done.
            sql=(drop, create),
            lock=Lock("SHARE UPDATE EXCLUSIVE", self.name),
            effect="scan",
            undo=(drop,),
            done=known.index_valid(self.name, name),
            form="alone",
        )

    def reference(
        self,
        name: str,
        columns: tuple[str, ...],
        *,
        parent: str,
        parents: tuple[str, ...],
        on_delete: LiteralString = "",
    ) -> tuple[Step, ...]:
        """
        Reference a parent's key: first for new rows, then, after a scan, for all. Before FORCE, under which it lies.

        On a partitioned table NOT VALID needs PostgreSQL 18.
        """
        named = sql.Identifier(name)
        add = Step(
            id=f"{self.table}.{parent}-reference",
            title=f"New rows of {self.table} reference {parent} ({', '.join(parents)})",
            sql=(
                self._sql(
                    "ALTER TABLE {table} ADD CONSTRAINT {name} FOREIGN KEY ({columns})"
                    " REFERENCES {parent} ({parents}){on_delete} NOT VALID",
                    name=named,
                    columns=sql.SQL(", ").join(map(sql.Identifier, columns)),
                    parent=sql.Identifier(self.schema, parent),
                    parents=sql.SQL(", ").join(map(sql.Identifier, parents)),
                    on_delete=sql.SQL(f" {on_delete}" if on_delete else ""),
                ),
            ),
            lock=Lock("SHARE ROW EXCLUSIVE", f"{self.name} and {self.schema}.{parent}"),
            effect="brief",
            undo=(self._sql("ALTER TABLE {table} DROP CONSTRAINT {name}", name=named),),
            done=known.constraint_exists(self.name, name),
        )
        title = f"Every row of {self.table} references {parent} ({', '.join(parents)})"
        return add, self._validate(name, f"{self.table}.{parent}-reference-validate", title)

    def _validate(self, name: str, step_id: str, title: str) -> Step:
        return Step(
            id=step_id,
            title=title,
            sql=(self._sql("ALTER TABLE {table} VALIDATE CONSTRAINT {name}", name=sql.Identifier(name)),),
            lock=Lock("SHARE UPDATE EXCLUSIVE", self.name),
            effect="scan",
            undo=(),
            done=known.constraint_valid(self.name, name),
        )

    def isolate(self) -> Step:
        """
        Make the policy, enable and force row security, in one short transaction.

        The sub-select is evaluated once per statement, not per row.
        """
        mine = self._sql("{key} = (SELECT {bound})", bound=self.bound)
        return Step(
            id=f"{self.table}.isolate",
            title=f"Rows of {self.table} show and change for their own tenant only",
            sql=(
                self._sql(
                    "CREATE POLICY {policy} ON {table} FOR ALL TO {roles} USING ({mine}) WITH CHECK ({mine})",
                    policy=sql.Identifier(POLICY),
                    roles=sql.SQL(", ").join(map(sql.Identifier, self.roles)),
                    mine=mine,
                ),
                self._sql("ALTER TABLE {table} ENABLE ROW LEVEL SECURITY"),
                self._sql("ALTER TABLE {table} FORCE ROW LEVEL SECURITY"),
            ),
            lock=Lock("ACCESS EXCLUSIVE", self.name),
            effect="brief",
            undo=(
                self._sql("ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY"),
                self._sql("ALTER TABLE {table} DISABLE ROW LEVEL SECURITY"),
                self._sql("DROP POLICY {policy} ON {table}", policy=sql.Identifier(POLICY)),
            ),
            done=known.isolated(self.name, POLICY),
        )

    def drop_constraint(self, name: str, definition: sql.Composable) -> Step:
        """
        Drop a key that another one supersedes; `definition` puts it back.
        """
        named = sql.Identifier(name)
        return Step(
            id=f"{self.table}.drop-{name.removeprefix(f'{self.table}_').replace('_', '-')}",
            title=f"Drop {name}, superseded",
            sql=(self._sql("ALTER TABLE {table} DROP CONSTRAINT {name}", name=named),),
            lock=Lock("ACCESS EXCLUSIVE", self.name),
            effect="brief",
            undo=(
                self._sql("ALTER TABLE {table} ADD CONSTRAINT {name} {definition}", name=named, definition=definition),
            ),
            done=known.constraint_gone(self.name, name),
        )

    def drop_index(self, name: str, column: str) -> Step:
        """
        Drop an index that another one supersedes.
        """
        full = sql.Identifier(self.schema, name)
        beside = sql.SQL("" if self.partitions else "CONCURRENTLY ")
        return Step(
            id=f"{self.table}.drop-{name.removeprefix(f'{self.table}_').replace('_', '-')}",
            title=f"Drop {name}, superseded",
            sql=(sql.SQL("DROP INDEX {beside}IF EXISTS {full}").format(full=full, beside=beside),),
            lock=Lock("ACCESS EXCLUSIVE" if self.partitions else "SHARE UPDATE EXCLUSIVE", self.name),
            effect="brief",
            undo=(
                self._sql(
                    "CREATE INDEX {beside}{name} ON {table} ({column})",
                    beside=beside,
                    name=sql.Identifier(name),
                    column=sql.Identifier(column),
                ),
            ),
            done=known.index_gone(self.name, name),
            form="transaction" if self.partitions else "alone",
        )

    def analyze(self) -> Step:
        """
        Let the planner know the new column.
        """
        return Step(
            id=f"{self.table}.analyze",
            title=f"Statistics of {self.table}",
            sql=(self._sql("ANALYZE {table}"),),
            lock=Lock("SHARE UPDATE EXCLUSIVE", self.name),
            effect="scan",
            undo=(),
            done=sql.SQL(
                "SELECT c.reltuples = 0 OR EXISTS (SELECT FROM pg_statistic s JOIN pg_attribute a"
                " ON a.attrelid = s.starelid AND a.attnum = s.staattnum"
                " WHERE s.starelid = c.oid AND a.attname = {key}) FROM pg_class c WHERE c.oid = {table}::regclass"
            ).format(key=sql.Literal(self.key), table=sql.Literal(self.name)),
        )


def _index_name(table: str, columns: tuple[str, ...]) -> str:
    return "_".join((table, *columns, "idx"))
