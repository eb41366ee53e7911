"""
Owns the switches: one named hardening of the service's behaviour each, set by KB_<NAME>, all off by default.

A switch is a field here plus a pair of forms in the module of its concern. Nothing else may ask for it.
"""

from __future__ import annotations

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

__all__ = ["Switches", "read_descriptions", "read_names_on"]


class Switches(BaseSettings):
    """
    What is hardened. The description tells what the switch does when on, then what happens when it is off.
    """

    model_config = SettingsConfigDict(env_prefix="KB_", frozen=True, extra="ignore")

    secret_required: bool = Field(
        default=False,
        description="Refuses to start when KB_JWT_SECRET is missing, a default (change-me…) or shorter than 32 "
        "characters. Off: a missing secret falls back to one that anybody can read in the source.",
    )
    ready_checks_dependencies: bool = Field(
        default=False,
        description="/health/ready asks the database within a bounded time and answers 503, naming what is down. "
        "Off: it is a static 200.",
    )
    least_privilege_role: bool = Field(
        default=False,
        description="Refuses to start when its database role is a superuser, bypasses row security or owns tables. "
        "Off: it serves as whatever role it is given, the owner as found.",
    )
    tenant_context_local: bool = Field(
        default=False,
        description="Binds the tenant by parameter inside the request's transaction, so that it ends with it. "
        "Off: SET by string for the session, which stays on the pooled connection for whoever comes next.",
    )
    tenant_from_token: bool = Field(
        default=False,
        description="The tenant comes from the verified token only. Off: an X-Tenant-ID request header wins over it.",
    )


def read_descriptions() -> dict[str, str]:
    """
    Read every switch's name and description, in the order of declaration.
    """
    return {name: field.description or "" for name, field in Switches.model_fields.items()}


def read_names_on(switches: Switches) -> list[str]:
    """
    Read the names of the switches that are on, sorted.
    """
    return sorted(name for name in Switches.model_fields if getattr(switches, name))
