"""
Owns the step that puts a table's rows behind policies.

Sources: PostgreSQL manual sections 13.3.1 (locks), 5.9 (row security).
"""

from __future__ import annotations

from psycopg import sql

from playbook.tenancy import catalogue_done as known
from playbook.tenancy.migrated_table import MigratedTable
from playbook.tenancy.steps import Lock, Step

__all__ = ["POLICY", "READING", "isolate"]

POLICY = "tenant_isolation"
READING = "tenant_reading"


def isolate(table: MigratedTable) -> Step:
    """
    Make the policies, enable and force row security, in one short transaction.

    The sub-select is evaluated once per statement, not per row. Who only reads has a policy for nothing else, so that
    a grant too many opens nothing.
    """
    mine = table.spell("{key} = (SELECT {bound})", bound=table.bound)
    policy, reading = sql.Identifier(POLICY), sql.Identifier(READING)
    policies = [
        table.spell(
            "CREATE POLICY {policy} ON {table} FOR ALL TO {roles} USING ({mine}) WITH CHECK ({mine})",
            policy=policy,
            roles=_listed(table.roles),
            mine=mine,
        )
    ]
    if table.readers:
        policies.append(
            table.spell(
                "CREATE POLICY {policy} ON {table} FOR SELECT TO {roles} USING ({mine})",
                policy=reading,
                roles=_listed(table.readers),
                mine=mine,
            )
        )
    return Step(
        id=f"{table.table}.isolate",
        title=f"Rows of {table.table} show and change for their own tenant only",
        sql=(
            *policies,
            table.spell("ALTER TABLE {table} ENABLE ROW LEVEL SECURITY"),
            table.spell("ALTER TABLE {table} FORCE ROW LEVEL SECURITY"),
        ),
        lock=Lock("ACCESS EXCLUSIVE", table.name),
        effect="brief",
        undo=(
            table.spell("ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY"),
            table.spell("ALTER TABLE {table} DISABLE ROW LEVEL SECURITY"),
            table.spell("DROP POLICY {policy} ON {table}", policy=policy),
            *((table.spell("DROP POLICY {policy} ON {table}", policy=reading),) if table.readers else ()),
        ),
        done=known.isolated(table.name, *((POLICY, READING) if table.readers else (POLICY,))),
    )


def _listed(roles: tuple[str, ...]) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, roles))
