"""
Owns the steps about which roles there are, and what each is by its attributes and memberships.

Source: PostgreSQL manual section 22.2 (attributes).
"""

from __future__ import annotations

from dataclasses import dataclass

from psycopg import sql

from playbook.target.target import Roles
from playbook.tenancy import catalogue_done as known
from playbook.tenancy.steps import Lock, Step

__all__ = ["LOOKUP_ROLE", "RoleSteps"]

LOOKUP_ROLE = "kb_lookup"
"""Owns the reviewed functions and the materialized view; nobody can log in as it."""

CATALOGUE = Lock("catalogue only")


@dataclass(frozen=True, slots=True)
class RoleSteps:
    """
    Makes the steps that make roles; they change nothing until they are applied, by a superuser.
    """

    roles: Roles

    @property
    def backup(self) -> str:
        """The role that dumps."""
        return self.roles.backup or f"{self.roles.app}_backup"

    def all(self) -> tuple[Step, ...]:
        """
        Roles, before any policy names them.
        """
        make = self._role
        readonly = self.roles.readonly
        return (
            make(self.roles.app, login=True, bypasses=False, title="The service's role bypasses nothing"),
            make(self.backup, login=True, bypasses=True, title="The backup's role reads every tenant's rows"),
            make(
                LOOKUP_ROLE, login=False, bypasses=True, title="Nobody logs in as the owner of the reviewed functions"
            ),
            *(
                (make(readonly, login=True, bypasses=False, title="The role that only reads bypasses nothing"),)
                if readonly
                else ()
            ),
            self._stranger(),
        )

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
