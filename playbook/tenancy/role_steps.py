"""
Owns the steps about roles: which there are, and who may do what.

Sources: PostgreSQL manual sections 22.2 (attributes), 5.8 (privileges).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import LiteralString

from psycopg import sql

from playbook.target.target import Roles
from playbook.tenancy import catalogue_done as known
from playbook.tenancy.quarantine import QUARANTINE
from playbook.tenancy.steps import Effect, Lock, Step

__all__ = ["LOOKUP_ROLE", "RoleSteps"]

LOOKUP_ROLE = "kb_lookup"
"""Owns the reviewed functions and the materialized view; nobody can log in as it."""

READ_BY_LOOKUPS = ("tenants", "users", "api_keys", "knowledge_bases", "documents")

CATALOGUE = Lock("catalogue only")


@dataclass(frozen=True, slots=True)
class RoleSteps:
    """
    Makes the steps about the roles of one schema; they change nothing until they are applied, by a superuser.
    """

    schema: str
    roles: Roles
    tables: tuple[str, ...]
    """Read and written by the service."""
    added: tuple[str, ...]
    """Added to, never changed."""
    counted: tuple[str, ...]
    """Counted up by a trigger, which runs as whoever inserts."""
    shown: tuple[str, ...]
    """Only read."""
    record: str
    """The migration tool's own table, which the application needs not."""

    @property
    def backup(self) -> str:
        """The role that dumps."""
        return self.roles.backup or f"{self.roles.app}_backup"

    def all_before_policies(self) -> tuple[Step, ...]:
        """
        Roles, before any policy names them.
        """
        return (
            self._role(self.roles.app, login=True, bypasses=False, title="The service's role bypasses nothing"),
            self._role(self.backup, login=True, bypasses=True, title="The backup's role reads every tenant's rows"),
            self._role(
                LOOKUP_ROLE, login=False, bypasses=True, title="Nobody logs in as the owner of the reviewed functions"
            ),
            self._stranger(),
        )

    def all_after_policies(self) -> tuple[Step, ...]:
        """
        Grants, once the policies stand behind them.
        """
        return (self._look_up(), self._serve(), self._dump(), self._defaults())

    def _role(self, name: str, *, login: bool, bypasses: bool, title: str) -> Step:
        shape = sql.SQL("{login} NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION {bypass}").format(
            login=sql.SQL("LOGIN" if login else "NOLOGIN"), bypass=sql.SQL("BYPASSRLS" if bypasses else "NOBYPASSRLS")
        )
        create = sql.SQL(
            "DO $make$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = {text})"
            " THEN CREATE ROLE {role}; END IF; END $make$"
        ).format(text=sql.Literal(name), role=sql.Identifier(name))
        return Step(
            id=f"roles.{name.replace('_', '-')}",
            title=title,
            sql=(create, sql.SQL("ALTER ROLE {role} {shape}").format(role=sql.Identifier(name), shape=shape)),
            lock=CATALOGUE,
            effect="brief",
            undo=(),
            done=known.role_is(name, bypasses=bypasses),
        )

    def _stranger(self) -> Step:
        """
        Let the service's role be no member of the owner, which it could become by SET ROLE.
        """
        names = {"owner": sql.Identifier(self.roles.owner), "app": sql.Identifier(self.roles.app)}
        return Step(
            id="roles.app-not-owner",
            title="The service's role cannot become the owner",
            sql=(sql.SQL("REVOKE {owner} FROM {app}").format(**names),),
            lock=CATALOGUE,
            effect="brief",
            undo=(),
            done=sql.SQL("SELECT NOT pg_has_role({app}, {owner}, 'MEMBER')").format(
                owner=sql.Literal(self.roles.owner), app=sql.Literal(self.roles.app)
            ),
        )

    def _look_up(self) -> Step:
        return self._made(
            "grants.lookup",
            "The owner of the reviewed functions reads what they read, and nothing more",
            "GRANT USAGE ON SCHEMA {schema} TO {lookup}; GRANT SELECT ON {read} TO {lookup}",
            undo="REVOKE SELECT ON {read} FROM {lookup}; REVOKE USAGE ON SCHEMA {schema} FROM {lookup}",
            done="SELECT bool_and(has_table_privilege({lookup_text}, one, 'SELECT'))"
            " FROM unnest({texts}::text[]) AS one",
            read=self._listed(READ_BY_LOOKUPS),
            texts=sql.Literal([f"{self.schema}.{table}" for table in READ_BY_LOOKUPS]),
        )

    def _serve(self) -> Step:
        return self._made(
            "grants.app",
            "The service's role reads and writes rows, and owns nothing",
            "REVOKE CREATE ON SCHEMA {schema} FROM PUBLIC; REVOKE ALL ON ALL TABLES IN SCHEMA {schema} FROM PUBLIC;"
            "GRANT USAGE ON SCHEMA {schema} TO {app};"
            "GRANT SELECT, INSERT, UPDATE, DELETE ON {tables} TO {app};"
            "GRANT SELECT, INSERT, UPDATE ON {counted} TO {app};"
            "GRANT SELECT, INSERT ON {added} TO {app};"
            "GRANT SELECT ON {shown} TO {app};"
            # USAGE without SELECT draws numbers and reads no state.
            "GRANT USAGE ON ALL SEQUENCES IN SCHEMA {schema} TO {app}",
            undo="REVOKE ALL ON ALL TABLES IN SCHEMA {schema} FROM {app};"
            "REVOKE ALL ON ALL SEQUENCES IN SCHEMA {schema} FROM {app}",
            done="SELECT has_table_privilege({app_text}, {first}, 'SELECT, INSERT, UPDATE, DELETE')"
            " AND NOT has_schema_privilege({app_text}, {schema_text}, 'CREATE')",
            tables=self._listed(self.tables),
            counted=self._listed(self.counted),
            added=self._listed(self.added),
            shown=self._listed(self.shown),
            first=sql.Literal(f"{self.schema}.{self.tables[-1]}"),
        )

    def _listed(self, tables: tuple[str, ...]) -> sql.Composed:
        return sql.SQL(", ").join(sql.Identifier(self.schema, table) for table in tables)

    def _dump(self) -> Step:
        return self._made(
            "grants.backup",
            "The backup's role reads all and writes nothing",
            "GRANT USAGE ON SCHEMA {schema} TO {backup};"
            "GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO {backup};"
            "GRANT SELECT ON ALL SEQUENCES IN SCHEMA {schema} TO {backup};"
            "GRANT USAGE ON SCHEMA {quarantine} TO {backup};"
            "GRANT SELECT ON ALL TABLES IN SCHEMA {quarantine} TO {backup}",
            undo="REVOKE SELECT ON ALL TABLES IN SCHEMA {quarantine} FROM {backup};"
            "REVOKE USAGE ON SCHEMA {quarantine} FROM {backup};"
            "REVOKE ALL ON ALL TABLES IN SCHEMA {schema} FROM {backup};"
            "REVOKE ALL ON ALL SEQUENCES IN SCHEMA {schema} FROM {backup};"
            "REVOKE USAGE ON SCHEMA {schema} FROM {backup}",
            done="SELECT has_table_privilege({backup_text}, {record}, 'SELECT')",
            record=sql.Literal(f"{self.schema}.{self.record}"),
        )

    def _defaults(self) -> Step:
        """
        Let what the owner makes later be dumped, and be open to nobody else before a migration says so.
        """
        return self._made(
            "grants.defaults",
            "New tables are dumped, and open to nobody until a migration opens them",
            "ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA {schema} GRANT SELECT ON TABLES TO {backup};"
            "ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA {schema} GRANT SELECT ON SEQUENCES TO {backup};"
            "ALTER DEFAULT PRIVILEGES FOR ROLE {owner} REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC",
            undo="ALTER DEFAULT PRIVILEGES FOR ROLE {owner} GRANT EXECUTE ON FUNCTIONS TO PUBLIC;"
            "ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA {schema} REVOKE SELECT ON SEQUENCES FROM {backup};"
            "ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA {schema} REVOKE SELECT ON TABLES FROM {backup}",
            done="SELECT count(*) = 3 FROM pg_default_acl WHERE defaclrole = {owner_text}::regrole",
        )

    def _made(
        self,
        step_id: str,
        title: str,
        text: LiteralString,
        *,
        undo: LiteralString,
        done: LiteralString,
        effect: Effect = "brief",
        **parts: sql.Composable,
    ) -> Step:
        names: dict[str, sql.Composable] = {
            "schema": sql.Identifier(self.schema),
            "schema_text": sql.Literal(self.schema),
            "owner": sql.Identifier(self.roles.owner),
            "owner_text": sql.Literal(self.roles.owner),
            "app": sql.Identifier(self.roles.app),
            "app_text": sql.Literal(self.roles.app),
            "backup": sql.Identifier(self.backup),
            "backup_text": sql.Literal(self.backup),
            "lookup": sql.Identifier(LOOKUP_ROLE),
            "lookup_text": sql.Literal(LOOKUP_ROLE),
            "quarantine": sql.Identifier(QUARANTINE),
            **parts,
        }
        return Step(
            id=step_id,
            title=title,
            sql=tuple(sql.SQL(one.strip()).format(**names) for one in text.split(";")),
            lock=CATALOGUE,
            effect=effect,
            undo=tuple(sql.SQL(one.strip()).format(**names) for one in undo.split(";")),
            done=sql.SQL(done).format(**names),
        )
