"""
Owns the checks about functions that run with their owner's rights, as the catalogue has them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from playbook.evidence.result import Observation
from playbook.postgres.connect import connect
from playbook.proof.check import Finding, check
from playbook.proof.scene import Scene
from playbook.tenancy.function_answers import ask_functions
from playbook.tenancy.relations import definer_functions, need_tenancy

__all__ = ["DEFINER_CHECKS"]

DEFINERS = """
SELECT format('%s.%s(%s)', r.routine_schema, r.routine_name, pg_get_function_identity_arguments(p.oid)),
       EXISTS (SELECT FROM unnest(p.proconfig) setting WHERE setting LIKE 'search_path=%'),
       EXISTS (SELECT FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
                WHERE a.grantee = 0 AND a.privilege_type = 'EXECUTE'),
       (SELECT coalesce(json_agg(power), '[]') FROM pg_roles o CROSS JOIN LATERAL (VALUES
            ('is superuser', o.rolsuper), ('can log in', o.rolcanlogin),
            ('owns tables', EXISTS (SELECT FROM pg_tables t WHERE t.tableowner = o.rolname
                                       AND t.schemaname NOT IN ('pg_catalog', 'information_schema')))) a(power, has)
         WHERE o.oid = p.proowner AND a.has)
  FROM information_schema.routines r
  JOIN pg_proc p ON r.specific_name = format('%s_%s', p.proname, p.oid)
 WHERE r.security_type = 'DEFINER'
   AND r.routine_schema NOT IN ('pg_catalog', 'information_schema', 'playbook')
"""


def _rows(scene: Scene) -> list[tuple[Any, ...]]:
    with connect(scene.database, "superuser", read_only=True, purpose="definers") as conn:
        return conn.execute(DEFINERS.encode()).fetchall()


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
    for function, pinned, _, _ in _rows(scene):
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
    for function, _, public, _ in _rows(scene):
        yield Finding(function, expected=False, actual=public)


@check(
    "rls.definer.bounded-owner",
    title="A function with its owner's rights has an owner that can do little else",
    phase="20",
    severity="high",
    why="What it forgets to ask, its owner's rights decide: a superuser's are everything.",
    how="Read whether the owner of every SECURITY DEFINER function is superuser, can log in, or owns tables.",
    remedy="ALTER FUNCTION … OWNER TO a role with NOLOGIN that may read what the function reads",
    population=definer_functions,
)
def definer_bounded_owner(scene: Scene) -> Iterator[Finding]:
    """Look at their owners."""
    for function, _, _, powers in _rows(scene):
        yield Finding(function, expected=[], operator="empty", actual=powers)


@check(
    "rls.definer.own-rows",
    title="A function with its owner's rights answers no tenant with another's rows",
    phase="20",
    severity="critical",
    why="No policy stands in such a function's way: the tenant that it forgets in its text is forgotten (MT-4).",
    how="Call each as the service, bound to two tenants and to none, with words out of the tables: no row may come for "
    "both or for none. One declared to answer before a tenant is known may answer with one row at most.",
    remedy="Compare the key with the bound tenant inside the function, or declare it in tenancy.before_tenant.",
    population=definer_functions,
    dear=True,
)
def definer_own_rows(scene: Scene) -> Iterator[Finding]:
    """Call them."""
    before_tenant = need_tenancy(scene.target).before_tenant
    for answers in ask_functions(scene):
        if answers.refused is not None:
            yield Finding.undecided(f"every call was refused: {answers.refused}", subject=answers.function)
            continue
        lookup = answers.function in before_tenant
        seen = Observation(role="app", query=f"{answers.calls} calls", value=answers.most, unit="rows at most")
        yield Finding(
            answers.function,
            expected=0,
            actual=max(0, answers.most - 1) if lookup else answers.shared + answers.unbound,
            observations=(seen,),
            strength="partial",
            strength_reason=answers.note or "its arguments are guessed: words that stand in the tables",
        )


DEFINER_CHECKS = (definer_pinned, definer_not_public, definer_bounded_owner, definer_own_rows)
