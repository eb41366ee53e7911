"""
Owns what phase 30 knows before it asks: every tenant, and how many rows of each relation are whose.

All of it is read as superuser along the declared foreign keys; no policy and no tenant key of a child is asked. Per
tenant it keeps a count, a digest and one key, so that memory does not grow with rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from psycopg import Connection, sql
from psycopg.rows import TupleRow

from playbook.postgres.connect import connect
from playbook.proof.scene import Scene
from playbook.tenancy.relations import identifier, listed_tables, need_tenancy
from playbook.tenancy.truth import NoPathError, Ownership, read_ownership

__all__ = ["RING", "Holding", "Owned", "Truth", "fought", "read_truth", "ring_limit", "superuser"]

RING = 8
"""Writes go round a ring of at most this many tenants: each tries its neighbour's rows."""

QUICK_RING = 2
HELD = """
SELECT owner, count(*), sum(hashtextextended(key, 0)::numeric)::text, min(key)
  FROM ({rows}) AS r(key, owner)
 GROUP BY owner
"""
OWNERS = "SELECT key, owner FROM ({rows}) AS r(key, owner) WHERE key = ANY (%s)"


@dataclass(frozen=True, slots=True)
class Holding:
    """
    One tenant's rows in one relation: how many, a digest over their keys that no order changes, and one of the keys.
    """

    rows: int
    digest: str
    sample: str


NOTHING = Holding(0, "", "")


@dataclass(frozen=True, slots=True)
class Owned:
    """
    One relation: how its rows reach their tenant, and what each tenant that has any holds.
    """

    ownership: Ownership
    holdings: Mapping[str, Holding]

    @property
    def rows(self) -> int:
        """The rows of all tenants."""
        return sum(one.rows for one in self.holdings.values())

    @property
    def any_key(self) -> str:
        """The key of some row."""
        return next(iter(self.holdings.values())).sample

    def of(self, tenant: str) -> Holding:
        """
        Tell what one tenant holds.
        """
        return self.holdings.get(tenant, NOTHING)

    def ring(self, limit: int) -> list[tuple[str, str]]:
        """
        Pair each acting tenant with its neighbour; empty when fewer than two tenants have rows.

        Those with the fewest rows: a write that reaches all of one's own costs least, and others' are the same.
        """
        tenants = sorted(self.holdings, key=lambda t: (self.holdings[t].rows, len(t), t))[:limit]
        return list(zip(tenants, tenants[1:] + tenants[:1], strict=True)) if len(tenants) > 1 else []

    def read_owners(self, god: Connection[TupleRow], keys: Sequence[str]) -> dict[str, str]:
        """
        Read who owns these few rows now, as superuser; a row of nobody is left out. Read-only.
        """
        query = sql.SQL(OWNERS).format(rows=self.ownership.query())
        return {str(key): str(owner) for key, owner in god.execute(query, (list(keys),)).fetchall()} if keys else {}


@dataclass(frozen=True, slots=True)
class Truth:
    """
    Every tenant's id, every relation whose owners are known, and why those of the others are not.
    """

    tenants: tuple[str, ...]
    relations: Mapping[str, Owned]
    unknown: Mapping[str, str]


def ring_limit(scene: Scene) -> int:
    """
    Say how many tenants write: in profile quick two, each of which is the other's neighbour.
    """
    return QUICK_RING if scene.profile == "quick" else RING


def fought(scene: Scene, owned: Owned) -> list[tuple[str, str]]:
    """
    Pair who acts with whose rows are at stake: round the ring, but under a fault in profile quick one of its pairs.
    """
    ring = owned.ring(ring_limit(scene))
    return ring[:1] if scene.under_fault and scene.profile == "quick" else ring


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
            held = conn.execute(sql.SQL(HELD).format(rows=ownership.query())).fetchall()
            relations[relation] = Owned(ownership, {str(owner): Holding(*rest) for owner, *rest in held})
        query = sql.SQL("SELECT id::text FROM {root} ORDER BY id").format(root=identifier(tenancy.root))
        tenants = tuple(str(key) for (key,) in conn.execute(query).fetchall())
    return Truth(tenants, relations, unknown)
