"""
Owns the checks about roles: what the service's own role is, owns and could become, and what runs with others' rights.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from playbook.evidence.result import Observation
from playbook.postgres.connect import connect
from playbook.proof.check import Finding, check
from playbook.proof.scene import Scene
from playbook.tenancy.policies import read_app_role
from playbook.tenancy.relations import definer_functions, need_tenancy, tenant_relations, view_relations

__all__ = ["ROLE_CHECKS"]

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
DEFINERS = """
SELECT format('%s.%s(%s)', r.routine_schema, r.routine_name, pg_get_function_identity_arguments(p.oid)),
       EXISTS (SELECT FROM unnest(p.proconfig) setting WHERE setting LIKE 'search_path=%'),
       EXISTS (SELECT FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
                WHERE a.grantee = 0 AND a.privilege_type = 'EXECUTE')
  FROM information_schema.routines r
  JOIN pg_proc p ON r.specific_name = format('%s_%s', p.proname, p.oid)
 WHERE r.security_type = 'DEFINER'
   AND r.routine_schema NOT IN ('pg_catalog', 'information_schema', 'playbook')
"""
# A materialized view can have no policy: only who may not read it at all is kept from the others' rows.
VIEWS = """
SELECT format('%%s.%%s', schemaname, viewname),
       CASE WHEN EXISTS (SELECT FROM pg_class c, pg_options_to_table(c.reloptions) o
                          WHERE c.oid = format('%%I.%%I', schemaname, viewname)::regclass
                            AND o.option_name = 'security_invoker' AND o.option_value IN ('true', 'on', '1', 'yes'))
                 OR NOT has_table_privilege(%(app)s, format('%%I.%%I', schemaname, viewname), 'SELECT')
            THEN 'own rows' ELSE 'its owner''s rows' END
  FROM pg_views WHERE schemaname NOT IN ('pg_catalog', 'information_schema', 'playbook')
UNION ALL
SELECT format('%%s.%%s', schemaname, matviewname),
       CASE WHEN has_table_privilege(%(app)s, format('%%I.%%I', schemaname, matviewname), 'SELECT')
            THEN 'stored rows of all' ELSE 'own rows' END
  FROM pg_matviews WHERE schemaname NOT IN ('pg_catalog', 'information_schema', 'playbook')
"""


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
    ((powers,),) = _rows(scene, POWERS, {"app": app})
    yield Finding(expected=[], operator="empty", actual=powers, observations=(Observation(role="app", value=app),))


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


@check(
    "rls.definer.pinned",
    title="A function with its owner's rights looks in a fixed search_path",
    phase="20",
    severity="high",
    why="Otherwise its caller decides which tables it reads, with its owner's rights.",
    how="Read the settings of every SECURITY DEFINER function.",
    remedy="ALTER FUNCTION … SET search_path = pg_catalog, public, pg_temp",
    population=definer_functions,
)
def definer_pinned(scene: Scene) -> Iterator[Finding]:
    """Look at the functions' settings."""
    for function, pinned, _ in _rows(scene, DEFINERS):
        yield Finding(function, expected=True, actual=pinned)


@check(
    "rls.definer.not-public",
    title="A function with its owner's rights is not for everybody",
    phase="20",
    severity="high",
    why="EXECUTE is PUBLIC by default: every role of the server reads through it, whatever the policies say.",
    how="Explode the access list of every SECURITY DEFINER function, defaults included.",
    remedy="REVOKE ALL ON FUNCTION … FROM PUBLIC; GRANT EXECUTE … TO app",
    population=definer_functions,
)
def definer_not_public(scene: Scene) -> Iterator[Finding]:
    """Look who may execute them."""
    for function, _, public in _rows(scene, DEFINERS):
        yield Finding(function, expected=False, actual=public)


@check(
    "rls.view.own-rows",
    title="A view shows the service what its tables would",
    phase="20",
    severity="critical",
    why="A view reads with its owner's rights by default, and a materialized one can have no policy at all (MT-4).",
    how="Read each view's security_invoker, and whether the service's role may read a materialized view.",
    remedy="ALTER VIEW … SET (security_invoker = true); read materialized views through a reviewed function.",
    population=view_relations,
)
def view_own_rows(scene: Scene) -> Iterator[Finding]:
    """Look at the views."""
    app = read_app_role(scene)
    for view, shows in _rows(scene, VIEWS, {"app": app}):
        yield Finding(view, expected="own rows", actual=shows, observations=(Observation(role="app", value=app),))


ROLE_CHECKS = (owns_nothing, bypasses_nothing, rows_only, definer_pinned, definer_not_public, view_own_rows)
