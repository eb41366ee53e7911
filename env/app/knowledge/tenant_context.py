"""
Owns how a tenant is bound to a database connection, which is what row level security reads (`app.tenant_id`).
"""

from __future__ import annotations

from typing import Protocol

from sqlalchemy import Connection, text

from knowledge.switches import Switches

__all__ = ["BindTenant", "bind_to_session", "bind_to_transaction", "choose_binding"]


class BindTenant(Protocol):
    """
    Binds a tenant to a connection that has no transaction open.
    """

    def __call__(self, connection: Connection, tenant_id: int) -> None: ...


def bind_to_transaction(connection: Connection, tenant_id: int) -> None:
    """
    Begin the transaction and bind the tenant to it; commit and rollback both end the binding.

    `set_config(…, true)` is SET LOCAL with a parameter (PostgreSQL manual, section 9.28.1).
    """
    connection.execute(text("SELECT set_config('app.tenant_id', :tenant, true)"), {"tenant": str(tenant_id)})


def bind_to_session(connection: Connection, tenant_id: int) -> None:
    """
    Weak: bind the tenant to the database session, by string, and leave it there when the pool hands it on.
    """
    connection.execute(text("SET app.tenant_id = '" + str(tenant_id) + "'"))
    connection.commit()


def choose_binding(switches: Switches) -> BindTenant:
    """
    Choose the form by `tenant_context_local`.
    """
    return bind_to_transaction if switches.tenant_context_local else bind_to_session
