"""
Owns the description of a service: how it is started, migrated and seeded, and what it is asked to see how it is.

The service is never imported; it is known by this description and by what it answers.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from pydantic import ConfigDict, field_serializer
from pydantic.dataclasses import dataclass

from playbook.errors import InputError

__all__ = ["Accounts", "ServiceSource"]


@dataclass(frozen=True, slots=True, config=ConfigDict(extra="forbid"))
class Accounts:
    """
    The names of the database and its roles, as the target says (`database.roles`).
    """

    database: str = "knowledge"
    owner: str = "kb_owner"
    app: str = "kb_app"
    migrator: str = "kb_migrator"
    backup: str = "kb_backup"
    superuser: str = "postgres"


@dataclass(frozen=True, slots=True, config=ConfigDict(extra="forbid"))
class ServiceSource:
    """
    A service by its commands. Each word may hold {python} {host} {port} {profile} {seed} {folder}.

    `{host}` is the address that it shall listen on: loopback, but in a container all of its addresses.

    `seed` may be empty: then the data is what `migrate` left. `switches`: name → what it hardens;
    `app_role_switch` names the one that makes the service use the role `app` instead of the owner. `version` answers
    a JSON object with `source` (a digest of the code that runs) and `switches` (names that are on): the black-box
    probe of every restart. Besides its switches the service is given, with `env_prefix` in capitals: database_url,
    owner_database_url, jwt_secret, seed_password, redis_url, trusted_proxies (comma-separated addresses; empty: none)
    and drain_s (how long it must go on serving after it turned unready).
    """

    folder: Path
    serve: tuple[str, ...]
    migrate: tuple[str, ...]
    seed: tuple[str, ...]
    env_prefix: str
    switches: Mapping[str, str]
    live: str = "/health/live"
    ready: str = "/health/ready"
    version: str = "/version"
    app_role_switch: str | None = "least_privilege_role"
    instances: int = 1

    @field_serializer("switches")
    def _plain(self, value: Mapping[str, str]) -> dict[str, str]:
        return dict(value)

    def words(self, template: Sequence[str], **values: object) -> tuple[str, ...]:
        """
        Fill a command's template.
        """
        filled = {"python": sys.executable, "folder": self.folder, "host": "127.0.0.1", **values}
        return tuple(word.format_map(filled) for word in template)

    def variable(self, name: str) -> str:
        """
        Spell the environment variable of a setting or switch.
        """
        return f"{self.env_prefix}{name.upper()}"

    def uses_app_role(self, switches: Mapping[str, bool]) -> bool:
        """
        Say whether the service connects as the role `app` with these switches.
        """
        return self.app_role_switch is not None and switches.get(self.app_role_switch, False)

    def checked(self, names: Sequence[str]) -> None:
        """
        Raise InputError for a switch that the service does not have.
        """
        unknown = sorted(set(names) - set(self.switches))
        if unknown:
            raise InputError(
                f"The service has no switch {', '.join(unknown)}",
                hint=f"It has: {', '.join(sorted(self.switches)) or 'none'}.",
            )
