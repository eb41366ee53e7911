"""
Owns the steps about what runs or shows with others' rights: definer functions, views and materialized views.

Sources: PostgreSQL manual, CREATE FUNCTION ("Writing SECURITY DEFINER Functions Safely"), CREATE VIEW
(security_invoker), sections 5.9 (row security) and 41.5 (materialized views have none).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import LiteralString

from psycopg import sql

from playbook.tenancy.role_steps import LOOKUP_ROLE
from playbook.tenancy.steps import Lock, Step

__all__ = ["FunctionSteps"]

CATALOGUE = Lock("catalogue only")


@dataclass(frozen=True, slots=True)
class FunctionSteps:
    """
    Makes the steps about one schema's functions and views; they change nothing until they are applied.

    `callers` are the roles that may call a reviewed function.
    """

    schema: str
    owner: str
    callers: tuple[str, ...]

    def replace(self, name: str, *, new: sql.Composed, old: sql.Composed, mark: str) -> Step:
        """
        Give a function a body that asks for the tenant; `mark` is what its new body holds and the old did not.
        """
        return Step(
            id=f"{name.replace('_', '-')}.body",
            title=f"{name} asks for the tenant itself",
            sql=(new,),
            lock=CATALOGUE,
            effect="brief",
            undo=(old,),
            done=sql.SQL(
                "SELECT EXISTS (SELECT FROM pg_proc WHERE pronamespace = {schema}::regnamespace AND proname = {name}"
                " AND strpos(prosrc, {mark}) > 0)"
            ).format(schema=sql.Literal(self.schema), name=sql.Literal(name), mark=sql.Literal(mark)),
        )

    def review(self, name: str, arguments: LiteralString) -> tuple[Step, ...]:
        """
        Pin a definer function's search_path, close it to PUBLIC, and give it to the role that can do no more.
        """
        function = sql.SQL("{name}({arguments})").format(
            name=sql.Identifier(self.schema, name), arguments=sql.SQL(arguments)
        )
        values: dict[str, sql.Composable] = {
            "function": function,
            "signature": sql.SQL("{}::regprocedure").format(sql.Literal(f"{self.schema}.{name}({arguments})")),
            "schema": sql.Identifier(self.schema),
            "owner": sql.Identifier(self.owner),
            "lookup": sql.Identifier(LOOKUP_ROLE),
            "lookup_text": sql.Literal(LOOKUP_ROLE),
            "callers": sql.SQL(", ").join(map(sql.Identifier, self.callers)),
        }

        def step(what: str, title: str, text: LiteralString, *, undo: LiteralString, done: LiteralString) -> Step:
            return Step(
                id=f"{name.replace('_', '-')}.{what}",
                title=title,
                sql=tuple(sql.SQL(one.strip()).format(**values) for one in text.split(";")),
                lock=CATALOGUE,
                effect="brief",
                undo=(sql.SQL(undo).format(**values),),
                done=sql.SQL(done).format(**values),
            )

        return (
            step(
                "pin",
                f"{name} looks in its own schema only",
                "ALTER FUNCTION {function} SET search_path = pg_catalog, {schema}, pg_temp",
                undo="ALTER FUNCTION {function} RESET search_path",
                done="SELECT EXISTS (SELECT FROM pg_proc p, unnest(p.proconfig) s WHERE p.oid = {signature}"
                " AND s LIKE 'search_path=%')",
            ),
            step(
                "own",
                f"{name} runs as a role that can do no more",
                "ALTER FUNCTION {function} OWNER TO {lookup}",
                undo="ALTER FUNCTION {function} OWNER TO {owner}",
                done="SELECT EXISTS (SELECT FROM pg_proc p JOIN pg_roles r ON r.oid = p.proowner"
                " WHERE p.oid = {signature} AND r.rolname = {lookup_text})",
            ),
            # The owner keeps its right, so that the service's other hardenings can be tried without this role.
            step(
                "execute",
                f"Only the service may call {name}",
                "REVOKE ALL ON FUNCTION {function} FROM PUBLIC; GRANT EXECUTE ON FUNCTION {function} TO {callers}",
                undo="GRANT EXECUTE ON FUNCTION {function} TO PUBLIC",
                done="SELECT NOT EXISTS (SELECT FROM pg_proc p, aclexplode(coalesce(p.proacl,"
                " acldefault('f', p.proowner))) a WHERE p.oid = {signature} AND a.grantee = 0)",
            ),
        )

    def pin_trigger(self, name: str) -> Step:
        """
        Pin the search_path of a trigger's function, and let nobody call it by name.
        """
        function = sql.Identifier(self.schema, name)
        return Step(
            id=f"{name.replace('_', '-')}.pin",
            title=f"{name} looks in the catalogue only",
            sql=(
                sql.SQL("ALTER FUNCTION {}() SET search_path = pg_catalog, pg_temp").format(function),
                sql.SQL("REVOKE EXECUTE ON FUNCTION {}() FROM PUBLIC").format(function),
            ),
            lock=CATALOGUE,
            effect="brief",
            undo=(
                sql.SQL("GRANT EXECUTE ON FUNCTION {}() TO PUBLIC").format(function),
                sql.SQL("ALTER FUNCTION {}() RESET search_path").format(function),
            ),
            done=sql.SQL("SELECT proconfig IS NOT NULL FROM pg_proc WHERE oid = {}::regprocedure").format(
                sql.Literal(f"{self.schema}.{name}()")
            ),
        )

    def invoke(self, view: str) -> Step:
        """
        Let a view read with the rights, and the policies, of whoever asks (PostgreSQL 15).
        """
        name = sql.Identifier(self.schema, view)
        return Step(
            id=f"{view.replace('_', '-')}.invoke",
            title=f"{view} shows what its reader may see",
            sql=(sql.SQL("ALTER VIEW {} SET (security_invoker = true)").format(name),),
            lock=Lock("ACCESS EXCLUSIVE", f"{self.schema}.{view}"),
            effect="brief",
            undo=(sql.SQL("ALTER VIEW {} RESET (security_invoker)").format(name),),
            done=sql.SQL(
                "SELECT EXISTS (SELECT FROM pg_class c, pg_options_to_table(c.reloptions) o"
                " WHERE c.oid = {}::regclass AND o.option_name = 'security_invoker' AND o.option_value = 'true')"
            ).format(sql.Literal(f"{self.schema}.{view}")),
        )

    def keep_apart(self, view: str) -> Step:
        """
        Give a materialized view, which can have no policy, to a role that refreshes it under row security.
        """
        name = sql.Identifier(self.schema, view)
        return Step(
            id=f"{view.replace('_', '-')}.own",
            title=f"{view} is read through a function only",
            sql=(sql.SQL("ALTER MATERIALIZED VIEW {} OWNER TO {}").format(name, sql.Identifier(LOOKUP_ROLE)),),
            lock=Lock("ACCESS EXCLUSIVE", f"{self.schema}.{view}"),
            effect="brief",
            undo=(sql.SQL("ALTER MATERIALIZED VIEW {} OWNER TO {}").format(name, sql.Identifier(self.owner)),),
            done=sql.SQL("SELECT matviewowner = {} FROM pg_matviews WHERE (schemaname, matviewname) = ({}, {})").format(
                sql.Literal(LOOKUP_ROLE), sql.Literal(self.schema), sql.Literal(view)
            ),
        )
