"""
Owns the checks about the role that only reads: people look at one tenant's rows with it, and change nothing.
"""

from __future__ import annotations

from collections.abc import Iterator

from psycopg import Connection, errors, sql
from psycopg.rows import TupleRow
from pydantic import JsonValue

from playbook.errors import Unavailable
from playbook.evidence.result import Observation
from playbook.postgres.connect import connect
from playbook.proof.check import Finding, check
from playbook.proof.scene import Scene
from playbook.tenancy.quarantine import QUARANTINE
from playbook.tenancy.relations import every_relation, identifier, listed_tables, need_tenancy, tenant_relations
from playbook.tenancy.roles import read_powers
from playbook.tenancy.truth import read_ownership

__all__ = ["READONLY_CHECKS"]

ABSENT = "the role is not there"
# A privilege on one column counts like one on the table. Rows of nobody, and rows that are stored apart from their
# policies, are not to be read either.
BEYOND = """
SELECT format('%%s.%%s', r.schema, r.name),
       coalesce((SELECT json_agg(privilege ORDER BY privilege)
                   FROM unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE',
                                     'TRUNCATE', 'REFERENCES', 'TRIGGER']) AS privilege
                  WHERE (privilege <> 'SELECT' OR r.closed)
                    AND (has_table_privilege(%(role)s, r.regclass, privilege)
                         OR (privilege IN ('SELECT', 'INSERT', 'UPDATE', 'REFERENCES')
                             AND has_any_column_privilege(%(role)s, r.regclass, privilege)))), '[]')
  FROM (SELECT schema, name, closed OR schema = %(apart)s AS closed,
               format('%%I.%%I', schema, name)::regclass AS regclass
          FROM (SELECT schemaname AS schema, tablename AS name, false AS closed FROM pg_tables
                 UNION ALL SELECT schemaname, viewname, false FROM pg_views
                 UNION ALL SELECT schemaname, matviewname, true FROM pg_matviews) AS listed
         WHERE schema NOT IN ('pg_catalog', 'information_schema', 'playbook')) AS r
"""
TENANT = "SELECT min({key}) FROM {root} WHERE {key} > (SELECT min({key}) FROM {root})"


def _role(scene: Scene) -> str:
    database = scene.target.database
    role = database.roles.readonly if database else None
    if role is None:
        raise Unavailable("the target names no role that only reads", hint="Name it in database.roles.readonly.")
    return role


def _there(conn: Connection[TupleRow], role: str) -> bool:
    return conn.execute("SELECT FROM pg_roles WHERE rolname = %s", (role,)).fetchone() is not None


@check(
    "role.readonly.select-only",
    title="The role that only reads may read, and nothing more",
    phase="20",
    severity="high",
    why="People look at production with it; one grant too many, and a slip of theirs writes.",
    how="List what it may do with each relation of the catalogue beyond SELECT; with rows of nobody, and with stored "
    "ones that no policy guards, SELECT too.",
    remedy="REVOKE … FROM readonly",
    population=every_relation,
)
def select_only(scene: Scene) -> Iterator[Finding]:
    """List its privileges beyond reading."""
    role = _role(scene)
    with connect(scene.database, "superuser", read_only=True, purpose="readonly") as conn:
        if not _there(conn, role):
            yield from (Finding(one, expected=[], operator="empty", actual=[ABSENT]) for one in every_relation(scene))
            return
        for relation, beyond in conn.execute(BEYOND.encode(), {"role": role, "apart": QUARANTINE}).fetchall():
            seen = Observation(role="superuser", query=f"privileges of {role}")
            yield Finding(relation, expected=[], operator="empty", actual=beyond, observations=(seen,))


@check(
    "role.readonly.bypasses-nothing",
    title="The role that only reads bypasses no policy, and can become no role that does",
    phase="20",
    severity="critical",
    why="A member of the backup's role, or of the owner, reads every tenant's rows after one SET ROLE.",
    how="List the powers of every role that it is a member of, itself included, inherited or not.",
    remedy="ALTER ROLE readonly NOBYPASSRLS; REVOKE … FROM readonly",
)
def bypasses_nothing(scene: Scene) -> Iterator[Finding]:
    """List what it could become."""
    role = _role(scene)
    with connect(scene.database, "superuser", read_only=True, purpose="readonly") as conn:
        powers = read_powers(conn, role) if _there(conn, role) else [ABSENT]
    yield Finding(expected=[], operator="empty", actual=[*powers], observations=(Observation(role=role),))


@check(
    "role.readonly.own-rows",
    title="The role that only reads sees the bound tenant's rows, and none without a tenant",
    phase="20",
    severity="critical",
    why="Policies name roles: one that none of them names sees nothing, one that an open one names sees all (MT-4).",
    how="Become it in a transaction; count what it sees of each table with no tenant, and of others with one bound.",
    remedy="CREATE POLICY … FOR SELECT TO readonly USING (key = the bound tenant)",
    population=tenant_relations,
)
def own_rows(scene: Scene) -> Iterator[Finding]:
    """Count what it sees."""
    tenancy = need_tenancy(scene.target)
    role = _role(scene)
    with connect(scene.database, "superuser", autocommit=True, read_only=True, purpose="readonly", fresh=True) as conn:
        there = _there(conn, role)
        root_key = read_ownership(conn, tenancy, tenancy.root).primary_key
        root = {"root": identifier(tenancy.root), "key": sql.Identifier(root_key)}
        row = conn.execute(sql.SQL(TENANT).format(**root)).fetchone()
        tenant = str(row[0]) if row else ""
        for relation in listed_tables(conn, tenancy):
            seen: JsonValue = ABSENT
            if there:
                key = root_key if relation == tenancy.root else tenancy.key
                seen = {}
                for name, bound, query in _questions(relation, key, tenant):
                    with conn.transaction(force_rollback=True):
                        conn.execute(sql.SQL("SET LOCAL ROLE {}").format(sql.Identifier(role)))
                        conn.execute("SELECT set_config(%s, %s, true)", (tenancy.setting, bound))
                        seen[name] = _count(conn, query)
            yield Finding(relation, expected={"without a tenant": 0, "of others": 0}, actual=seen)


def _questions(relation: str, key: str, tenant: str) -> Iterator[tuple[str, str, sql.Composed]]:
    table = identifier(relation)
    yield "without a tenant", "", sql.SQL("SELECT count(*) FROM {table}").format(table=table)
    others = sql.SQL("SELECT count(*) FROM {table} WHERE {key}::text <> {tenant}")
    yield "of others", tenant, others.format(table=table, key=sql.Identifier(key), tenant=sql.Literal(tenant))


def _count(conn: Connection[TupleRow], query: sql.Composed) -> int | str:
    """
    Count; 0 where it may not look at all, and the server's message where there is nothing to tell tenants by.
    """
    try:
        row = conn.execute(query).fetchone()
    except errors.InsufficientPrivilege:
        return 0
    except errors.UndefinedColumn as err:
        return str(err).splitlines()[0]
    return int(row[0]) if row else 0


READONLY_CHECKS = (select_only, bypasses_nothing, own_rows)
