"""
Owns the form of `target.yaml`: the system under hardening, as data (CONTRACTS §5).
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, field_validator

from playbook.target.document import read_document

__all__ = [
    "Api",
    "Backup",
    "DatabaseSection",
    "Login",
    "Objectives",
    "Roles",
    "Service",
    "SmokeRequest",
    "Table",
    "Target",
    "Tenancy",
    "Traffic",
    "read_target",
]

RelationName = Annotated[str, Field(pattern=r"^[^.]+\..+$", description="schema.name")]
TableClass = Literal["root", "direct", "inherited", "shared", "undecided"]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class SmokeRequest(_Section):
    """
    One request of the smoke test, and the status that it must answer.
    """

    method: str = "GET"
    path: str
    status: int = 200


class Source(_Section):
    """
    A service started from its source folder: argv templates may hold {python}, {host}, {port}, {profile}, {seed}.
    """

    folder: Path
    serve: tuple[str, ...]
    migrate: tuple[str, ...]
    seed: tuple[str, ...] = ()
    env_prefix: str = ""
    live: str = "/health/live"
    ready: str = "/health/ready"
    version_path: str = "/version"


class Found(_Section):
    """
    How the service comes: from source (local stack) or as a Compose project.
    """

    source: Source | None = None
    compose: Path | None = None


class Service(_Section):
    """
    The service itself.

    `switches` names each hardening of the service's behaviour with what it does. `routes` are paths that a signed-in
    user may GET, one per router at least: what must answer, told apart from what the running service says it has.
    """

    found: Found = Found()
    urls: tuple[str, ...] = ()
    instances: int = Field(default=1, ge=1, le=16)
    disposable_addresses: tuple[str, ...] = ()
    smoke: tuple[SmokeRequest, ...] = ()
    routes: tuple[str, ...] = ()
    switches: dict[str, str] = {}


class Roles(_Section):
    """
    Database roles by what they do.
    """

    owner: str
    app: str
    migrator: str | None = None
    backup: str | None = None
    readonly: str | None = None


class DatabaseSection(_Section):
    """
    The database: where (never with a password in the file), by which roles, and how large the real one is.
    """

    dsn: str | None = None
    name: str | None = None
    size_mb: float | None = Field(default=None, gt=0)
    roles: Roles

    @field_validator("dsn")
    @classmethod
    def _no_secret(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(r"\$\{\w+\}|file:.+", value):
            msg = "a DSN stands as ${ENV} or file:PATH only, so that no secret is in the file"
            raise ValueError(msg)
        return value


class Table(_Section):
    """
    One decision about one relation: its class, and the path of referencing columns to the tenant's root.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    kind: TableClass = Field(alias="class")
    path: str | None = None
    decided_by: Literal["person", "tool"] = "tool"
    reason: str | None = None


class Tenancy(_Section):
    """
    Who owns which row.
    """

    root: RelationName
    key: str = "tenant_id"
    setting: str = Field(default="app.tenant_id", pattern=r"^[a-z_][a-z0-9_]*(\.[a-z_][a-z0-9_]*)+$")
    tables: dict[RelationName, Table] = {}
    before_tenant: tuple[str, ...] = Field(
        default=(), description="Functions that answer before a tenant is known, as schema.name(arguments)"
    )


class Login(_Section):
    """
    How a client gets a token; `body` may hold {tenant}, {email}, {password}.
    """

    path: str
    body: dict[str, JsonValue]
    token: str = "access_token"  # noqa: S105 (a field's name)


class Api(_Section):
    """
    The service's HTTP interface.
    """

    openapi: str = "/openapi.json"
    login: Login | None = None
    tenant_from: Literal["token", "header", "host"] = "token"


class Operation(_Section):
    """
    One operation of the traffic model.
    """

    id: str
    method: str = "GET"
    path: str
    weight: int = Field(default=1, ge=1)
    body: dict[str, JsonValue] | None = None


class Traffic(_Section):
    """
    What clients do, by weight.

    `canary` is a pattern of the marks that each tenant has in its own row of the tenancy's root and in its texts:
    another tenant's mark in a response is a leak.
    """

    canary: str | None = None
    operations: tuple[Operation, ...] = ()


class Objectives(_Section):
    """
    Figures to reach. `list_statements` is how many statements one request for a list may cost, however long it is.
    """

    p95_ms: float | None = Field(default=None, gt=0)
    error_rate: float | None = Field(default=None, ge=0, le=1)
    availability: float | None = Field(default=None, ge=0, le=1)
    list_statements: int | None = Field(default=None, ge=1)
    rto_s: float | None = Field(default=None, gt=0)
    rpo_s: float | None = Field(default=None, ge=0)


class Limits(_Section):
    """
    The file of declared rate limits, and what the rehearsed service multiplies their windows by.

    `plans` are files that are tried besides, one at a time and as declared; profile quick takes the first two.
    """

    file: Path
    plans: tuple[Path, ...] = ()
    scale: float = Field(default=1.0, gt=0, le=1)


class BackupMethod(_Section):
    """
    One way of backing up.
    """

    id: str


class Backup(_Section):
    """
    Backups as declared.
    """

    methods: tuple[BackupMethod, ...] = ()
    retention: dict[str, int] = {}
    offsite: str | None = None


class Target(_Section):
    """
    The system under hardening. Every section is optional; its absence skips its phases with a reason.
    """

    version: Literal[1]
    name: str = Field(pattern=r"^[a-z][a-z0-9-]{0,30}$")
    service: Service | None = None
    database: DatabaseSection | None = None
    tenancy: Tenancy | None = None
    api: Api | None = None
    limits: Limits | None = None
    traffic: Traffic | None = None
    objectives: Objectives = Objectives()
    backup: Backup | None = None


def read_target(path: Path) -> Target:
    """
    Read a target file; relative paths in it start at the file. Read-only.

    Raises InputError naming file, line and field.
    """
    target = read_document(path, Target)
    if target.service and target.service.found.source:
        source = target.service.found.source
        folder = (path.parent / source.folder).resolve()
        found = target.service.found.model_copy(update={"source": source.model_copy(update={"folder": folder})})
        target = target.model_copy(update={"service": target.service.model_copy(update={"found": found})})
    if target.limits:
        limits = target.limits
        files = {
            "file": (path.parent / limits.file).resolve(),
            "plans": tuple((path.parent / one).resolve() for one in limits.plans),
        }
        target = target.model_copy(update={"limits": limits.model_copy(update=files)})
    return target
