"""
Owns the steps about grants: what each role may do, once the policies stand behind it.

Source: PostgreSQL manual section 5.8 (privileges).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import LiteralString

from psycopg import sql

from playbook.tenancy.quarantine import QUARANTINE
from playbook.tenancy.role_steps import LOOKUP_ROLE, RoleSteps
from playbook.tenancy.steps import Lock, Step

__all__ = ["GrantSteps"]

READ_BY_LOOKUPS = ("tenants", "users", "api_keys", "knowledge_bases", "documents")

CATALOGUE = Lock("catalogue only")


@dataclass(frozen=True, slots=True)
class GrantSteps:
    """
    Makes the steps about grants in one schema; they change nothing until they are applied, by a superuser.
    """

    schema: str
    people: RoleSteps
    tables: tuple[str, ...]
    """Read and written by the service."""
    added: tuple[str, ...]
    """Added to, never changed."""
    counted: tuple[str, ...]
    """Counted up by a trigger, which runs as whoever inserts."""
    shown: tuple[str, ...]
    """Only read."""
    in_part: Mapping[str, tuple[str, ...]]
    """Tables that hold credentials, and the columns that a reader may see all the same."""
    record: str
    """The migration tool's own table, which the application needs not."""

    def all(self) -> tuple[Step, ...]:
        """
        Grants, after the policies.
        """
        reads = (self._read(self.people.roles.readonly),) if self.people.roles.readonly else ()
        return (self._look_up(), self._serve(), self._dump(), *reads, self._defaults())

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

    def _read(self, reader: str) -> Step:
        """
        Let people look at the rows of the tenant that they are bound to; nothing is written, no credential shown.
        """
        whole = (*self.tables, *self.counted, *self.added, *self.shown)
        role = sql.Identifier(reader)
        part = [
            sql.SQL("GRANT SELECT ({columns}) ON {table} TO {role}").format(
                columns=sql.SQL(", ").join(map(sql.Identifier, columns)),
                table=sql.Identifier(self.schema, table),
                role=role,
            )
            for table, columns in self.in_part.items()
            if columns
        ]
        step = self._made(
            "grants.readonly",
            "The role that only reads sees rows, and no credentials",
            "GRANT USAGE ON SCHEMA {schema} TO {reader}; GRANT SELECT ON {whole} TO {reader}",
            undo="REVOKE ALL ON ALL TABLES IN SCHEMA {schema} FROM {reader};"
            "REVOKE USAGE ON SCHEMA {schema} FROM {reader}",
            done="SELECT bool_and(has_table_privilege({reader_text}, one, 'SELECT'))"
            " FROM unnest({texts}::text[]) AS one",
            reader=role,
            reader_text=sql.Literal(reader),
            whole=self._listed(tuple(table for table in whole if table not in self.in_part)),
            texts=sql.Literal([f"{self.schema}.{table}" for table in whole if table not in self.in_part]),
        )
        return replace(step, sql=(*step.sql, *part))

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
        **parts: sql.Composable,
    ) -> Step:
        names: dict[str, sql.Composable] = {
            "schema": sql.Identifier(self.schema),
            "schema_text": sql.Literal(self.schema),
            "owner": sql.Identifier(self.people.roles.owner),
            "owner_text": sql.Literal(self.people.roles.owner),
            "app": sql.Identifier(self.people.roles.app),
            "app_text": sql.Literal(self.people.roles.app),
            "backup": sql.Identifier(self.people.backup),
            "backup_text": sql.Literal(self.people.backup),
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
            effect="brief",
            undo=tuple(sql.SQL(one.strip()).format(**names) for one in undo.split(";")),
            done=sql.SQL(done).format(**names),
        )
