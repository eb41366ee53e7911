"""
Owns the checks about roles: what the service's own role is, owns, may do and could become.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from psycopg import Connection
from psycopg.rows import TupleRow

from playbook.evidence.result import Observation
from playbook.postgres.connect import connect
from playbook.proof.check import Finding, check
from playbook.proof.scene import Scene
from playbook.tenancy.policies import read_app_role
from playbook.tenancy.relations import need_tenancy, tenant_relations

__all__ = ["ROLE_CHECKS", "read_powers"]

OWNS = """
SELECT coalesce(json_agg(what ORDER BY what), '[]') FROM (
    SELECT format('database %%s', datname) AS what FROM pg_database d JOIN pg_roles r ON r.oid = d.datdba
     WHERE r.rolname = %(app)s AND d.datname = current_database()
    UNION ALL
    SELECT format('schema %%s', n.nspname) FROM pg_namespace n JOIN pg_roles r ON r.oid = n.nspowner
     WHERE r.rolname = %(app)s
    UNION ALL
    SELECT format('table %%s.%%s', t.schemaname, t.tablename) FROM pg_tables t WHERE t.tableowner = %(app)s
    UNION ALL
    SELECT format('view %%s.%%s', v.schemaname, v.viewname) FROM pg_views v WHERE v.viewowner = %(app)s
    UNION ALL
    SELECT format('function %%s', p.oid::regprocedure) FROM pg_proc p JOIN pg_roles r ON r.oid = p.proowner
     WHERE r.rolname = %(app)s
) owned
"""
# Whoever is a member may become it: SET ROLE needs no inheritance (manual, GRANT, "GRANT on roles"). A superuser is
# a member of every role, which would say nothing more about it.
POWERS = """
WITH reach AS (
    SELECT r.* FROM pg_roles r JOIN pg_roles me ON me.rolname = %(app)s
     WHERE r.oid = me.oid OR (NOT me.rolsuper AND pg_has_role(me.oid, r.oid, 'MEMBER'))
)
SELECT coalesce(json_agg(power ORDER BY power), '[]') FROM (
    SELECT format('%%s %%s', r.rolname, attribute) AS power
      FROM reach r
      CROSS JOIN LATERAL (VALUES
          ('is superuser', r.rolsuper), ('bypasses row security', r.rolbypassrls),
          ('makes roles', r.rolcreaterole), ('replicates', r.rolreplication)) AS a(attribute, has)
     WHERE a.has
    UNION
    SELECT format('%%s owns tables', r.rolname)
      FROM reach r JOIN pg_tables t ON t.tableowner = r.rolname
     WHERE t.schemaname NOT IN ('pg_catalog', 'information_schema', 'playbook') AND r.rolname <> %(app)s
    UNION
    SELECT format('%%s is built in', r.rolname)
      FROM reach r
     WHERE r.rolname IN ('pg_read_all_data', 'pg_write_all_data', 'pg_read_server_files', 'pg_write_server_files',
                         'pg_execute_server_program', 'pg_maintain')
) powers
"""
# None of these asks a policy: TRUNCATE empties for all, a trigger's function runs as whoever writes.
BEYOND_ROWS = """
SELECT format('%%s.%%s', t.schemaname, t.tablename),
       coalesce((SELECT json_agg(privilege ORDER BY privilege)
                   FROM unnest(ARRAY['TRUNCATE', 'REFERENCES', 'TRIGGER']) AS privilege
                  WHERE has_table_privilege(%(app)s, format('%%I.%%I', t.schemaname, t.tablename), privilege)), '[]')
  FROM pg_tables t
 WHERE t.schemaname NOT IN ('pg_catalog', 'information_schema', 'playbook')
"""


def read_powers(conn: Connection[TupleRow], role: str) -> list[str]:
    """
    List what a role, and whatever it could become, may do beside every policy. Read-only.
    """
    row = conn.execute(POWERS.encode(), {"app": role}).fetchone()
    return [str(power) for power in row[0]] if row else []


def _rows(scene: Scene, query: str, values: dict[str, str] | None = None) -> list[tuple[Any, ...]]:
    with connect(scene.database, "superuser", read_only=True, purpose="roles") as conn:
        return conn.execute(query.encode(), values).fetchall()


@check(
    "role.app.owns-nothing",
    title="The service's role owns nothing",
    phase="20",
    severity="critical",
    why="An owner may switch row security off, change policies and drop tables.",
    how="List what the role of the service's own connection owns: database, schemas, tables, views, functions.",
    remedy="ALTER … OWNER TO a role that the service cannot become; serve as a role that has grants only.",
)
def owns_nothing(scene: Scene) -> Iterator[Finding]:
    """List what it owns."""
    app = read_app_role(scene)
    ((owned,),) = _rows(scene, OWNS, {"app": app})
    yield Finding(expected=[], operator="empty", actual=owned, observations=(Observation(role="app", value=app),))


@check(
    "role.app.bypasses-nothing",
    title="The service's role bypasses no policy, and can become no role that does",
    phase="20",
    severity="critical",
    why="A superuser, a role with BYPASSRLS, or a member of the owner sees every tenant's rows after one SET ROLE.",
    how="List the powers of every role that the service's role is a member of, itself included, inherited or not.",
    remedy="ALTER ROLE app NOSUPERUSER NOBYPASSRLS NOCREATEROLE; REVOKE owner FROM app",
)
def bypasses_nothing(scene: Scene) -> Iterator[Finding]:
    """List what it could become."""
    app = read_app_role(scene)
    with connect(scene.database, "superuser", read_only=True, purpose="roles") as conn:
        powers = read_powers(conn, app)
    yield Finding(expected=[], operator="empty", actual=[*powers], observations=(Observation(role="app", value=app),))


@check(
    "role.app.rows-only",
    title="The service's role may read and write rows and nothing more",
    phase="20",
    severity="high",
    why="TRUNCATE asks no policy: one statement empties the table of every tenant.",
    how="List TRUNCATE, REFERENCES and TRIGGER, where the role of the service's own connection has them.",
    remedy="REVOKE TRUNCATE, REFERENCES, TRIGGER ON … FROM app",
    population=tenant_relations,
)
def rows_only(scene: Scene) -> Iterator[Finding]:
    """List its privileges beyond rows."""
    app = read_app_role(scene)
    shared = {name for name, one in need_tenancy(scene.target).tables.items() if one.kind == "shared"}
    for relation, beyond in _rows(scene, BEYOND_ROWS, {"app": app}):
        if relation not in shared:
            seen = Observation(role="app", value=app)
            yield Finding(relation, expected=[], operator="empty", actual=beyond, observations=(seen,))


ROLE_CHECKS = (owns_nothing, bypasses_nothing, rows_only)
