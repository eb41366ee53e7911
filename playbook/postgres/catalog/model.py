"""
Owns the nouns of a schema's snapshot. Names are qualified (`public.documents`); nothing here has an OID.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = [
    "Catalog",
    "Column",
    "Constraint",
    "DefaultGrant",
    "Grant",
    "Index",
    "Membership",
    "Policy",
    "Relation",
    "RoleAttributes",
    "Routine",
    "Schema",
    "Setting",
    "Trigger",
]


@dataclass(frozen=True, slots=True)
class Schema:
    """
    A schema and who owns it.
    """

    name: str
    owner: str


@dataclass(frozen=True, slots=True)
class Relation:
    """
    A table, view, materialized view, sequence, partitioned or foreign table; `kind` in words.

    `options` are its reloptions (a view's security_invoker among them); `definition` is a view's query, or a
    partition's bounds.
    """

    name: str
    kind: str
    owner: str
    row_security: bool
    force_row_security: bool
    persistence: str
    options: tuple[str, ...]
    definition: str


@dataclass(frozen=True, slots=True)
class Column:
    """
    A column; `default` is the expression of a generated one too.
    """

    relation: str
    name: str
    type: str
    not_null: bool
    default: str
    identity: str
    generated: str
    collation: str


@dataclass(frozen=True, slots=True)
class Constraint:
    """
    A constraint of a table; `kind` is PostgreSQL's letter (p, u, f, c, n, x).
    """

    relation: str
    name: str
    kind: str
    validated: bool
    definition: str


@dataclass(frozen=True, slots=True)
class Index:
    """
    An index, of a constraint or not; invalid ones too.
    """

    relation: str
    name: str
    valid: bool
    definition: str


@dataclass(frozen=True, slots=True)
class Policy:
    """
    A row-level policy; `using` and `check` are empty where it has none.
    """

    relation: str
    name: str
    command: str
    permissive: bool
    roles: tuple[str, ...]
    using: str
    check: str


@dataclass(frozen=True, slots=True)
class Trigger:
    """
    A trigger that somebody made; `enabled` is PostgreSQL's letter.
    """

    relation: str
    name: str
    enabled: str
    definition: str


@dataclass(frozen=True, slots=True)
class Routine:
    """
    A function or procedure; `definition` is all of it, SECURITY DEFINER and its settings included.
    """

    name: str
    owner: str
    security_definer: bool
    leakproof: bool
    definition: str


@dataclass(frozen=True, slots=True)
class Grant:
    """
    One privilege; the owner's own are spelled out too. `column` is empty for the whole object.
    """

    kind: str
    object: str
    column: str
    grantee: str
    privilege: str
    grantable: bool


@dataclass(frozen=True, slots=True)
class DefaultGrant:
    """
    One privilege that objects will have when `creator` makes them.
    """

    creator: str
    schema: str
    kind: str
    grantee: str
    privilege: str
    grantable: bool


@dataclass(frozen=True, slots=True)
class RoleAttributes:
    """
    A role of the server, the predefined ones left out.
    """

    name: str
    superuser: bool
    inherit: bool
    create_role: bool
    create_database: bool
    login: bool
    replication: bool
    bypass_rls: bool
    connection_limit: int
    valid_until: str


@dataclass(frozen=True, slots=True)
class Membership:
    """
    A role granted to another.
    """

    role: str
    member: str
    admin: bool


@dataclass(frozen=True, slots=True)
class Setting:
    """
    A setting of this database, of a role, or of a role in this database; `scope` says which.
    """

    scope: str
    role: str
    value: str


@dataclass(frozen=True, slots=True)
class Catalog:
    """
    What stands in one database, and the roles of its server. Each list is sorted.
    """

    schemas: tuple[Schema, ...]
    relations: tuple[Relation, ...]
    columns: tuple[Column, ...]
    constraints: tuple[Constraint, ...]
    indexes: tuple[Index, ...]
    policies: tuple[Policy, ...]
    triggers: tuple[Trigger, ...]
    routines: tuple[Routine, ...]
    grants: tuple[Grant, ...]
    default_grants: tuple[DefaultGrant, ...]
    roles: tuple[RoleAttributes, ...]
    memberships: tuple[Membership, ...]
    settings: tuple[Setting, ...]
