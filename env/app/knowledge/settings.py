"""
Owns the settings: what the environment says, once, at start. No other module reads the environment.
"""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import NoDecode

from knowledge.refusal import Refusal
from knowledge.switches import Switches

__all__ = ["Settings", "read_settings"]

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def _split(value: object) -> object:
    return [word for word in value.split(",") if word] if isinstance(value, str) else value


class Settings(Switches):
    """
    The service's settings, each an environment variable with the prefix KB_.
    """

    database_url: SecretStr
    """A libpq connection string or URL: the role that the service itself uses."""
    owner_database_url: SecretStr | None = None
    """The same for the role that owns the schema; only `migrate` and `seed` use it."""
    jwt_secret: SecretStr | None = None
    pool_size: int = Field(default=5, ge=1, le=100)
    token_lifetime_s: int = Field(default=3600, ge=1)
    drain_s: float = Field(default=0.5, ge=0)
    """How long it goes on serving after SIGTERM: twice the interval at which readiness is asked, times its failures."""
    model_latency_s: float = Field(default=0.02, ge=0)
    """How long the stand-in for the model takes to answer."""
    redis_url: SecretStr | None = None
    """Where instances count rate limits together."""
    limits_file: Path | None = None
    """The declared rate limits; without it nothing is limited."""
    trusted_proxies: Annotated[tuple[Network, ...], NoDecode, BeforeValidator(_split)] = ()
    """Comma-separated; they are believed beside those that the file declares: where a proxy is, is the deployment's."""
    limits_scale: float = Field(default=1.0, gt=0, le=1)
    """What their windows are multiplied by in a rehearsal; never below five seconds."""
    version: str = "0.1.0"
    commit: str = "unknown"
    built: str = "unknown"

    @property
    def migration_dsn(self) -> str:
        """The connection string for changing the schema or loading data."""
        return (self.owner_database_url or self.database_url).get_secret_value()


def read_settings() -> Settings:
    """
    Read the settings from the environment.

    Raises Refusal naming the first setting that is missing or ill-typed; never shows the value, which may be secret.
    """
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        name = "_".join(("KB", *(str(part) for part in first["loc"]))).upper()
        raise Refusal(name, first["msg"].lower()) from None
