"""
Owns the fixed plan that isolates the reference service's tenants. It goes when plans are computed.

The order is the one that was measured to stall no client: keys and rows first, then references, then policies,
which must come after every scan that the owner's role would do blindly under FORCE; superseded keys at the end.
"""

from __future__ import annotations

from psycopg import sql

from playbook.errors import InputError
from playbook.postgres.connect import read_major
from playbook.postgres.role import HasDsn
from playbook.target.target import Target
from playbook.tenancy import constraint_steps, index_steps, key_steps, policy_steps, service_functions
from playbook.tenancy.function_steps import FunctionSteps
from playbook.tenancy.grant_steps import GrantSteps
from playbook.tenancy.migrated_table import MigratedTable
from playbook.tenancy.numbering import Numbering
from playbook.tenancy.quarantine import make_quarantine, make_quarantine_table, move_orphans
from playbook.tenancy.role_steps import RoleSteps
from playbook.tenancy.service_tables import ADDED, CHILDREN, COUNTERS, READ_IN_PART, SHOWN, Child
from playbook.tenancy.steps import Lock, Plan, Step

__all__ = ["RECORD", "fixed_plan", "fixed_plan_for"]

RECORD = "alembic_version"
REVISION = "0002"
DOWN_REVISION = "0001"


def fixed_plan_for(target: Target, database: HasDsn) -> Plan:
    """
    Make the plan as the server of this database can carry it out. Read-only. Raises InputError like `fixed_plan`.
    """
    return fixed_plan(target, server_major=read_major(database))


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
    readers = (roles.readonly,) if roles.readonly else ()

    def of(table: str, column: str = key, partitions: tuple[str, ...] = ()) -> MigratedTable:
        return MigratedTable(schema, table, column, setting, (roles.app, roles.owner), readers, partitions)

    users = of("users")
    children = [(of(one.table, partitions=one.partitions), one) for one in CHILDREN]
    written = tuple(one.table for one in CHILDREN if one.table not in ADDED)
    people = RoleSteps(roles)
    grants = GrantSteps(schema, people, ("tenants", "users", *written), ADDED, (COUNTERS,), SHOWN, READ_IN_PART, RECORD)
    functions = FunctionSteps(schema, roles.owner, (roles.app, roles.owner))
    invoices = of("invoices")
    numbering = Numbering(
        invoices, "number", COUNTERS, "number_invoice", "invoices_number", "invoices_number_seq", roles.owner
    )
    isolated = [of("tenants", "id"), users, of(COUNTERS)]
    isolated += [of(name) for _, child in children for name in (child.table, *child.partitions)]
    return Plan(
        title="Tenant isolation of the reference service",
        revision=REVISION,
        down_revision=DOWN_REVISION,
        steps=(
            make_quarantine(roles.owner),
            key_steps.default_key(users),
            *index_steps.unique(users, key, "id"),
            *index_steps.unique(users, key, "email"),
            *(step for table, child in children for step in _key(table, child, roles.owner, server_major)),
            numbering.step(),
            *people.all(),
            *(policy_steps.isolate(table) for table in isolated),
            *grants.all(),
            *_functions(functions, schema, users.bound),
            constraint_steps.drop_constraint(users, "users_email_key", sql.SQL("UNIQUE (email)")),
            index_steps.drop_index(users, "users_tenant_id_idx", key),
            *(step for table, child in children for step in _superseded(table, child)),
            key_steps.analyze(users),
            *(key_steps.analyze(table) for table, _ in children),
            _stamp(schema),
        ),
    )


def _key(table: MigratedTable, child: Child, owner: str, server_major: int) -> tuple[Step, ...]:
    """
    Give a table that reaches its tenant through a parent a key of its own, which must agree with every parent's.
    """
    way, reason, columns = child.references[0], child.orphans, child.columns
    refuse, *validate = key_steps.require_key(table, server_major=server_major)
    apart = (make_quarantine_table(table.schema, table.table, owner, columns=columns),) if reason else ()
    moved = (move_orphans(table.schema, table.table, table.key, columns=columns, reason=reason),) if reason else ()
    referenced = index_steps.unique(table, table.key, "id") if child.referenced else ()
    return (
        *apart,
        key_steps.add_key(table),
        key_steps.default_key(table),
        key_steps.backfill(table, parent=way.parent, column=way.column, orphans=reason is not None),
        refuse,
        *moved,
        *validate,
        *referenced,
        *(step for columns in child.unique for step in index_steps.unique(table, table.key, *columns)),
        *(step for one in child.references if one.indexed for step in index_steps.index(table, table.key, one.column)),
        *constraint_steps.reference(
            table,
            f"{table.table}_{table.key}_fkey",
            (table.key,),
            parent="tenants",
            parents=("id",),
            server_major=server_major,
        ),
        *(
            step
            for one in child.references
            for step in constraint_steps.reference(
                table,
                f"{table.table}_{table.key}_{one.column}_fkey",
                (table.key, one.column),
                parent=one.parent,
                parents=(table.key, "id"),
                server_major=server_major,
                on_delete=one.on_delete_pair,
            )
        ),
    )


def _superseded(table: MigratedTable, child: Child) -> tuple[Step, ...]:
    """
    Drop the simple references, their indexes and the keys over all tenants: the ones with the tenant's key say more.
    """
    steps = []
    for one in child.references:
        simple = sql.SQL("FOREIGN KEY ({column}) REFERENCES {parent} (id){on_delete}").format(
            column=sql.Identifier(one.column),
            parent=sql.Identifier(table.schema, one.parent),
            on_delete=sql.SQL(f" {one.on_delete}" if one.on_delete else ""),
        )
        steps.append(constraint_steps.drop_constraint(table, f"{table.table}_{one.column}_fkey", simple))
        if one.indexed:
            steps.append(index_steps.drop_index(table, f"{table.table}_{one.column}_idx", one.column))
    for columns in child.unique:
        listed = sql.SQL(", ").join(map(sql.Identifier, columns))
        name = "_".join((table.table, *columns, "key"))
        steps.append(constraint_steps.drop_constraint(table, name, sql.SQL("UNIQUE ({})").format(listed)))
    return tuple(steps)


def _functions(functions: FunctionSteps, schema: str, bound: sql.Composed) -> tuple[Step, ...]:
    """
    Let nothing that runs or shows with others' rights show more than one tenant.

    The two lookups stay blind to the tenant, since they come before it is known: each answers for one name or id.
    """
    search, stats = service_functions.search_documents, service_functions.tenant_stats
    return (
        functions.invoke("document_overview"),
        functions.keep_apart("tenant_stats"),
        functions.replace("search_documents", new=search(schema, bound), old=search(schema, None), mark="tenant_id"),
        functions.replace("read_tenant_stats", new=stats(schema, bound), old=stats(schema, None), mark="WHERE id"),
        *functions.review("auth_lookup", "text, text"),
        *functions.review("api_key_lookup", "bigint"),
        *functions.review("search_documents", "text, bigint"),
        *functions.review("read_tenant_stats", ""),
        functions.pin_trigger("touch_updated_at"),
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
