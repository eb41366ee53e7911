"""
Owns whether a request may go on in its tenant: there must be one, and it must be active.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from knowledge.models import Tenant
from knowledge.switches import Switches

__all__ = ["InactiveTenantError", "MissingTenantError", "Standing", "choose_standing"]

ACTIVE = "active"


class MissingTenantError(PermissionError):
    """
    The request's tenant cannot be established.
    """


class InactiveTenantError(PermissionError):
    """
    The tenant is suspended, or gone.
    """


def require_tenant(tenant_id: int | None) -> None:
    """
    Require a tenant. Raises MissingTenantError.
    """
    if tenant_id is None:
        raise MissingTenantError


def accept_missing(_tenant_id: int | None) -> None:
    """
    Weak: go on without one.
    """


def require_active(status: str | None) -> None:
    """
    Require that the tenant is there and active. Raises InactiveTenantError.
    """
    if status != ACTIVE:
        raise InactiveTenantError


def accept_any(_status: str | None) -> None:
    """
    Weak: serve a tenant whatever became of it.
    """


def ask_tenant(session: Session, tenant_id: int | None) -> None:
    """
    Ask the database for the status of the session's tenant. Raises InactiveTenantError.

    On each request, because a token outlives what it was issued for.
    """
    if tenant_id is not None:
        require_active(session.scalar(select(Tenant.status).where(Tenant.id == tenant_id)))


def trust_token(_session: Session, _tenant_id: int | None) -> None:
    """
    Weak: whoever holds a valid token is still a customer.
    """


@dataclass(frozen=True, slots=True)
class Standing:
    """
    The questions, in the forms that the switches chose: at login by the status found, on a request by the session.
    """

    check_presence: Callable[[int | None], None]
    check_status: Callable[[str | None], None]
    check_tenant: Callable[[Session, int | None], None]


def choose_standing(switches: Switches) -> Standing:
    """
    Choose the forms by `context_required` and `inactive_tenant_refused`.
    """
    active = switches.inactive_tenant_refused
    return Standing(
        check_presence=require_tenant if switches.context_required else accept_missing,
        check_status=require_active if active else accept_any,
        check_tenant=ask_tenant if active else trust_token,
    )
