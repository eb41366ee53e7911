"""
Owns the fixed plan that isolates the reference service's four tables. It goes when plans are computed.

The order is the one that was measured to stall no client: keys and rows first, then references, then policies,
which must come after every scan that the owner's role would do blindly under FORCE; superseded keys at the end.
"""

from __future__ import annotations

from psycopg import sql

from playbook.errors import InputError
from playbook.target.target import Target
from playbook.tenancy.role_steps import RoleSteps
from playbook.tenancy.steps import Lock, Plan, Step
from playbook.tenancy.table_steps import TableSteps

__all__ = ["RECORD", "fixed_plan"]

RECORD = "alembic_version"
REVISION = "0002"
DOWN_REVISION = "0001"
TABLES = ("tenants", "users", "knowledge_bases", "documents")


def fixed_plan(target: Target, *, server_major: int = 18) -> Plan:
    """
    Make the plan for the schema of revision 0001. Read-only; it looks at no database.

    Raises InputError when the target does not name its roles and its tenancy.
    """
    if target.database is None or target.tenancy is None:
        raise InputError(
            f"target {target.name!r} has no database or no tenancy section", hint="Write both: a plan needs them."
        )
    schema = target.tenancy.root.split(".", 1)[0]
    roles = target.database.roles
    key, setting = target.tenancy.key, target.tenancy.setting

    def of(table: str, column: str = key) -> TableSteps:
        return TableSteps(schema, table, column, setting, (roles.app, roles.owner))

    tenants, users = of("tenants", "id"), of("users")
    bases, documents = of("knowledge_bases"), of("documents")
    people = RoleSteps(
        schema=schema,
        roles=roles,
        tables=TABLES,
        record=RECORD,
        lookup="auth_lookup",
        lookup_arguments="text, text",
    )
    return Plan(
        title="Tenant isolation of the reference service",
        revision=REVISION,
        down_revision=DOWN_REVISION,
        steps=(
            users.default_key(),
            *users.unique(key, "id"),
            *users.unique(key, "email"),
            *_child(bases, parent="users", column="owner_id", server_major=server_major),
            *_child(documents, parent="knowledge_bases", column="knowledge_base_id", server_major=server_major),
            *people.all_before_policies(),
            tenants.isolate(),
            users.isolate(),
            bases.isolate(),
            documents.isolate(),
            *people.all_after_policies(),
            users.drop_constraint("users_email_key", sql.SQL("UNIQUE (email)")),
            users.drop_index("users_tenant_id_idx", key),
            *_superseded(bases, parent="users", column="owner_id"),
            *_superseded(documents, parent="knowledge_bases", column="knowledge_base_id"),
            users.analyze(),
            bases.analyze(),
            documents.analyze(),
            _stamp(schema),
        ),
    )


def _child(table: TableSteps, *, parent: str, column: str, server_major: int) -> tuple[Step, ...]:
    """
    Give a table that reaches its tenant through a parent a key of its own, which must agree with the parent's.
    """
    return (
        table.add_key(),
        table.default_key(),
        table.backfill(parent=parent, column=column),
        *table.require_key(server_major=server_major),
        *table.unique(table.key, "id"),
        table.index(table.key, column),
        *table.reference(f"{table.table}_{table.key}_fkey", (table.key,), parent="tenants", parents=("id",)),
        *table.reference(
            f"{table.table}_{table.key}_{column}_fkey", (table.key, column), parent=parent, parents=(table.key, "id")
        ),
    )


def _superseded(table: TableSteps, *, parent: str, column: str) -> tuple[Step, ...]:
    """
    Drop the parent's simple reference and its index: the pair with the tenant's key says more.
    """
    simple = sql.SQL("FOREIGN KEY ({column}) REFERENCES {parent} (id)").format(
        column=sql.Identifier(column), parent=sql.Identifier(table.schema, parent)
    )
    return (
        table.drop_constraint(f"{table.table}_{column}_fkey", simple),
        table.drop_index(f"{table.table}_{column}_idx", column),
    )


def _stamp(schema: str) -> Step:
    record = sql.Identifier(schema, RECORD)
    values = {"record": record, "new": sql.Literal(REVISION), "old": sql.Literal(DOWN_REVISION)}
    return Step(
        id="record.stamp",
        title=f"The migration record says {REVISION}",
        sql=(sql.SQL("UPDATE {record} SET version_num = {new} WHERE version_num = {old}").format(**values),),
        lock=Lock("ROW EXCLUSIVE", f"{schema}.{RECORD}"),
        effect="brief",
        undo=(sql.SQL("UPDATE {record} SET version_num = {old} WHERE version_num = {new}").format(**values),),
        done=sql.SQL("SELECT EXISTS (SELECT FROM {record} WHERE version_num = {new})").format(**values),
    )
