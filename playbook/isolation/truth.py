"""
Owns what phase 30 knows before it asks: every tenant, and which rows of each relation are whose.

All of it is read as superuser along the declared foreign keys; no policy and no tenant key of a child is asked.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from psycopg import Connection, sql
from psycopg.rows import TupleRow

from playbook.postgres.connect import connect
from playbook.proof.scene import Scene
from playbook.tenancy.relations import identifier, listed_tables, need_tenancy
from playbook.tenancy.truth import NoPathError, Ownership, read_ownership

__all__ = ["RING", "Owned", "Truth", "read_truth", "superuser"]

RING = 8
"""Writes go round a ring of at most this many tenants: each tries its neighbour's rows."""


@dataclass(frozen=True, slots=True)
class Owned:
    """
    One relation: how its rows reach their tenant, and the true owner of each row by its key.
    """

    ownership: Ownership
    owners: Mapping[str, str]

    def of(self, tenant: str) -> list[str]:
        """
        List the keys of one tenant's rows.
        """
        return [key for key, owner in self.owners.items() if owner == tenant]

    def ring(self) -> list[tuple[str, str]]:
        """
        Pair each acting tenant with its neighbour; empty when fewer than two tenants have rows.
        """
        tenants = sorted(set(self.owners.values()), key=lambda t: (len(t), t))[:RING]
        return list(zip(tenants, tenants[1:] + tenants[:1], strict=True)) if len(tenants) > 1 else []


@dataclass(frozen=True, slots=True)
class Truth:
    """
    Every tenant's id, every relation whose owners are known, and why those of the others are not.
    """

    tenants: tuple[str, ...]
    relations: Mapping[str, Owned]
    unknown: Mapping[str, str]


def superuser(scene: Scene, *, read_only: bool = False) -> Connection[TupleRow]:
    """
    Connect as superuser: the one who sees what really is there.
    """
    return connect(scene.database, "superuser", autocommit=True, read_only=read_only, purpose="truth")


def read_truth(scene: Scene) -> Truth:
    """
    Read who owns what, once per scene: checks put back what they plant. Read-only.
    """
    return scene.once("isolation.truth", lambda: _read(scene))


def _read(scene: Scene) -> Truth:
    tenancy = need_tenancy(scene.target)
    relations: dict[str, Owned] = {}
    unknown: dict[str, str] = {}
    with superuser(scene, read_only=True) as conn:
        for relation in listed_tables(conn, tenancy):
            try:
                ownership = read_ownership(conn, tenancy, relation)
            except NoPathError as err:
                unknown[relation] = str(err)
                continue
            rows = conn.execute(ownership.query()).fetchall()
            relations[relation] = Owned(ownership, {str(key): str(owner) for key, owner in rows})
        query = sql.SQL("SELECT id::text FROM {root} ORDER BY id").format(root=identifier(tenancy.root))
        tenants = tuple(str(key) for (key,) in conn.execute(query).fetchall())
    return Truth(tenants, relations, unknown)
