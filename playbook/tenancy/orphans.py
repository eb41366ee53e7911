"""
Owns counting the rows that reach no tenant: where they stand among tenants' rows, and in their quarantine.
"""

from __future__ import annotations

from psycopg import Connection, sql
from psycopg.rows import TupleRow

from playbook.target.target import Tenancy
from playbook.tenancy.quarantine import QUARANTINE
from playbook.tenancy.relations import identifier
from playbook.tenancy.truth import read_ownership

__all__ = ["count_apart", "count_orphans", "list_open", "quarantine_of"]

KEY = """
SELECT EXISTS (SELECT FROM information_schema.columns
                WHERE table_schema || '.' || table_name = %s AND column_name = %s)
"""
OPEN = """
SELECT privilege FROM unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) AS privilege
 WHERE has_schema_privilege(%(role)s, %(schema)s, 'USAGE') AND has_table_privilege(%(role)s, %(table)s, privilege)
"""


def quarantine_of(relation: str) -> str:
    """
    Name the table that a table's rows of nobody go to.
    """
    return f"{QUARANTINE}.{relation.partition('.')[2]}"


def count_orphans(conn: Connection[TupleRow], tenancy: Tenancy, relation: str, *, last: int | None) -> int:
    """
    Count the rows whose declared path leads to no tenant. Read-only.

    `last` is the highest key as found: a row that came later may have no owner, if it has the tenant's key, for the
    system acts inside a tenant too. Raises NoPathError when there is no path.
    """
    owned = read_ownership(conn, tenancy, relation)
    if len(owned.hops) < 2:  # noqa: PLR2004 (its own key is its path; whether that may be null is asked elsewhere)
        return 0
    row = conn.execute(KEY, (relation, tenancy.key)).fetchone()
    keyed = row is not None and row[0] is True
    lost = sql.SQL("t0.{key} IS NULL").format(key=sql.Identifier(tenancy.key)) if keyed else sql.SQL("true")
    if last is not None:
        lost = sql.SQL("({lost} OR t0.{pk} <= {last})").format(
            lost=lost, pk=sql.Identifier(owned.primary_key), last=sql.Literal(last)
        )
    joins = sql.SQL(" ").join(
        sql.SQL("LEFT JOIN {parent} {after} ON {after}.{to} = {before}.{column}").format(
            parent=identifier(hop.parent),
            after=sql.Identifier(f"t{number + 1}"),
            before=sql.Identifier(f"t{number}"),
            to=sql.Identifier(hop.parent_column),
            column=sql.Identifier(hop.column),
        )
        for number, hop in enumerate(owned.hops)
    )
    end = sql.Identifier(f"t{len(owned.hops)}", owned.hops[-1].parent_column)
    found = conn.execute(
        sql.SQL("SELECT count(*) FROM {relation} t0 {joins} WHERE {end} IS NULL AND {lost}").format(
            relation=identifier(relation), joins=joins, end=end, lost=lost
        )
    ).fetchone()
    return int(found[0]) if found else 0


def count_apart(conn: Connection[TupleRow], relation: str, *, part: str | None = None) -> int:
    """
    Count the rows of a quarantine table, 0 when there is none; of one partition with `part`. Read-only.
    """
    row = conn.execute("SELECT to_regclass(%s) IS NOT NULL", (identifier(relation).as_string(None),)).fetchone()
    if row is None or row[0] is not True:
        return 0
    condition = sql.SQL("true") if part is None else sql.SQL("came_from = {}").format(sql.Literal(part))
    found = conn.execute(
        sql.SQL("SELECT count(*) FROM {relation} WHERE {condition}").format(
            relation=identifier(relation), condition=condition
        )
    ).fetchone()
    return int(found[0]) if found else 0


def list_open(conn: Connection[TupleRow], relation: str, role: str) -> list[str]:
    """
    List what a role may do with a quarantine table; nothing when there is none. Read-only.
    """
    table = identifier(relation).as_string(None)
    row = conn.execute("SELECT to_regclass(%s) IS NOT NULL", (table,)).fetchone()
    if row is None or row[0] is not True:
        return []
    values = {"role": role, "schema": relation.partition(".")[0], "table": table}
    return [str(one) for (one,) in conn.execute(OPEN, values).fetchall()]
