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
    context_required: bool = Field(
        default=False,
        description="A request whose tenant cannot be established is refused with 403. "
        "Off: it is served without one, in whatever context the connection has.",
    )
    inactive_tenant_refused: bool = Field(
        default=False,
        description="A tenant that is suspended or gone is refused with 403, at login and on every request. "
        "Off: its users log in, and a token that was once issued works until it expires.",
    )
    errors_hide_internals: bool = Field(
        default=False,
        description="An error tells the client one sentence. "
        "Off: it shows the statement with its parameters, and the stack of an unexpected one.",
    )
    validation_hides_input: bool = Field(
        default=False,
        description="A refused input is answered, and logged, by what is wrong and where. "
        "Off: both repeat the body as it came, passwords included.",
    )
    logs_redacted: bool = Field(
        default=False,
        description="Log lines hold known fields only, with addresses, tokens and keys masked. "
        "Off: they hold what they are given: e-mail and password of a failed login, query strings, stacks.",
    )
    list_statements_bounded: bool = Field(
        default=False,
        description="The list of threads takes one statement. Off: it takes one, and three more for each thread.",
    )
    ai_cap_atomic: bool = Field(
        default=False,
        description="The monthly cap is reserved by one statement before the model is called, and settled after. "
        "Off: spending is looked at first and written later, so that calls at the same time pass together.",
    )
    upload_type_sniffed: bool = Field(
        default=False,
        description="A file's type is told by its first bytes; what is not allowed is 415. "
        "Off: it is whatever the client says.",
    )
    graceful_shutdown: bool = Field(
        default=False,
        description="On SIGTERM readiness turns 503, then requests in flight are finished. Off: it exits at once.",
    )
    limits_shared: bool = Field(
        default=False,
        description="Rate limits are counted in a store that all instances share. Off: each process counts its own.",
    )
    limits_store_bounded: bool = Field(
        default=False,
        description="A store that is down or hangs is noticed in bounded time, and the limits file says what then. "
        "Off: the request waits for it, and fails with 500.",
    )
    limits_answered: bool = Field(
        default=False,
        description="A request over a limit is answered 429. Off: middleware raises an exception, which is a 500.",
    )
    limits_retry_after: bool = Field(
        default=False,
        description="A refusal says in Retry-After when the next request is admitted. Off: it does not.",
    )
    limits_proxy_aware: bool = Field(
        default=False,
        description="A client's address is what a trusted proxy saw. "
        "Off: it is the leftmost X-Forwarded-For, which the client writes.",
    )
    limits_exempt_exactly: bool = Field(
        default=False,
        description="Exempt from limits are the declared paths. Off: whatever has /health in its path.",
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
