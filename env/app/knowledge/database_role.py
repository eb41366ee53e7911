"""
Owns the question which database role the service may serve as. Asked once, before the port opens.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Engine, text
from sqlalchemy.exc import OperationalError

from knowledge.refusal import EXIT_UNAVAILABLE, Refusal
from knowledge.settings import Settings

__all__ = ["Power", "check_role", "read_power"]

SETTING = "KB_DATABASE_URL"

# A role has what the roles have that it can SET ROLE to, hence pg_has_role and not the role's own row alone.
POWER = """
SELECT current_user AS role,
       coalesce(bool_or(r.rolsuper), false) AS superuser,
       coalesce(bool_or(r.rolbypassrls), false) AS bypasses_row_security,
       (SELECT count(*) FROM pg_class c
         WHERE c.relnamespace = current_schema()::regnamespace
           AND c.relkind IN ('r', 'p', 'm')
           AND pg_has_role(current_user, c.relowner, 'MEMBER')) AS owned_tables
  FROM pg_roles r
 WHERE pg_has_role(current_user, r.oid, 'MEMBER')
"""


@dataclass(frozen=True, slots=True)
class Power:
    """
    What a role can do beyond its grants.
    """

    role: str
    superuser: bool
    bypasses_row_security: bool
    owned_tables: int

    @property
    def excess(self) -> str | None:
        """The first thing that it should not have, in words; None when it has least privilege."""
        if self.superuser:
            return "is a superuser"
        if self.bypasses_row_security:
            return "bypasses row security"
        if self.owned_tables:
            return f"owns {self.owned_tables} tables of its schema"
        return None


def read_power(engine: Engine) -> Power:
    """
    Read what the engine's role can do. Read-only.
    """
    with engine.connect() as connection:
        row = connection.execute(text(POWER)).one()
    return Power(row.role, row.superuser, row.bypasses_row_security, row.owned_tables)


def refuse_power(engine: Engine) -> None:
    """
    Refuse a role that row security would not hold.

    Raises Refusal, also when the database cannot be asked: not knowing is no permission.
    """
    try:
        power = read_power(engine)
    except OperationalError:
        raise Refusal(
            SETTING, "the database cannot be reached to see the role's power", exit_code=EXIT_UNAVAILABLE
        ) from None
    if power.excess:
        raise Refusal(SETTING, f"the role {power.role} {power.excess}; serve as one that only has grants")


def accept_any(_engine: Engine) -> None:
    """
    Weak: serve as whatever role the connection string names.
    """


def check_role(settings: Settings, engine: Engine) -> None:
    """
    Check the role in the form that `least_privilege_role` chooses. Raises Refusal.
    """
    check = refuse_power if settings.least_privilege_role else accept_any
    check(engine)
