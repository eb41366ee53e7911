"""
Owns the checks about reading rows: one scan per acting tenant covers the rows of all others.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from psycopg import Connection, sql
from psycopg.rows import TupleRow

from playbook.evidence.result import Observation
from playbook.isolation.acting import acting, app
from playbook.isolation.truth import Truth, read_truth, superuser
from playbook.proof.check import Finding, check
from playbook.proof.scene import Scene
from playbook.tenancy.relations import identifier, read_parents, tenant_relations

__all__ = ["READING_CHECKS", "list_readable", "undecided"]

LOOKED_THROUGH = 3
"""So many tenants' keys are read one by one where a scan shows more or fewer than their own."""

READABLE = (
    "SELECT one FROM unnest(%s::text[], %s::text[]) AS t(one, quoted) WHERE has_table_privilege(quoted, 'SELECT')"
)
ONE = (
    "SELECT {name}::text, count(*),"
    " md5(coalesce(string_agg({key}::text, ',' ORDER BY {key}::text COLLATE \"C\"), '')) FROM {relation}"
)


@dataclass(slots=True)
class Scan:
    """
    What all tenants together saw of each relation: rows that are not theirs, and own ones that they did not see.
    """

    foreign: Counter[str] = field(default_factory=Counter)
    missing: Counter[str] = field(default_factory=Counter)


def undecided(truth: Truth) -> Iterator[Finding]:
    """
    Say of which relations nobody knows whose the rows are: a red that a person must answer.
    """
    for relation, reason in truth.unknown.items():
        yield Finding.undecided(reason, subject=relation)


def list_readable(conn: Connection[TupleRow], truth: Truth) -> list[str]:
    """
    List the relations that the service's role may read at all. Read-only.
    """
    names = list(truth.relations)
    quoted = [identifier(name).as_string(None) for name in names]
    return [str(one) for (one,) in conn.execute(READABLE, (names, quoted)).fetchall()]


def read_scan(scene: Scene) -> Scan:
    """
    Read, as each tenant, every relation, once per scene. Read-only.
    """
    return scene.once("isolation.scan", lambda: _scan(scene, read_truth(scene)))


def _scan(scene: Scene, truth: Truth) -> Scan:
    scan = Scan()
    with app(scene) as conn:
        readable = list_readable(conn, truth)
        query = sql.SQL(" UNION ALL ").join(
            sql.SQL(ONE).format(
                name=sql.Literal(relation),
                key=sql.Identifier(truth.relations[relation].ownership.primary_key),
                relation=identifier(relation),
            )
            for relation in readable
        )
        looked: Counter[str] = Counter()
        for tenant in truth.tenants:
            with acting(scene, conn, tenant):
                rows = conn.execute(query).fetchall() if readable else []
            for relation, count, digest in rows:
                own = truth.relations[relation].of(tenant)
                if (count, digest) == (len(own), _digest(own)):
                    continue
                looked[relation] += 1
                if looked[relation] <= LOOKED_THROUGH:
                    _look_through(scene, truth, conn, scan, tenant=tenant, relation=relation)
                scan.foreign[relation] += max(0, count - len(own)) if looked[relation] > LOOKED_THROUGH else 0
                scan.missing[relation] += max(0, len(own) - count) if looked[relation] > LOOKED_THROUGH else 0
    for relation in truth.relations.keys() - set(readable):
        scan.missing[relation] = len(truth.relations[relation].owners)
    return scan


def _look_through(
    scene: Scene, truth: Truth, conn: Connection[TupleRow], scan: Scan, *, tenant: str, relation: str
) -> None:
    """
    Read one relation's keys as one tenant, and count what is not its own and what of its own is not there.
    """
    owned = truth.relations[relation]
    query = sql.SQL("SELECT {key}::text FROM {relation}").format(
        key=sql.Identifier(owned.ownership.primary_key), relation=identifier(relation)
    )
    with acting(scene, conn, tenant):
        shown = {str(key) for (key,) in conn.execute(query).fetchall()}
    own = set(owned.of(tenant))
    scan.foreign[relation] += len(shown - own)
    scan.missing[relation] += len(own - shown)


def _digest(keys: list[str]) -> str:
    return hashlib.md5(",".join(sorted(keys)).encode(), usedforsecurity=False).hexdigest()


@check(
    "rows.read.cross-tenant-denied",
    title="No tenant reads another's rows",
    phase="30",
    severity="critical",
    why="One row of another customer on a page is a breach (MT-4, MT-8).",
    how="As every tenant, over the service's own connection, read and count all keys; compare with the true owners.",
    remedy="A policy that compares the tenant's key with the bound tenant, forced; look for a second, wider policy.",
    population=tenant_relations,
    on="copy",
)
def read_denied(scene: Scene) -> Iterator[Finding]:
    """Read as every tenant."""
    truth = read_truth(scene)
    yield from undecided(truth)
    scan = read_scan(scene)
    for relation in truth.relations:
        asked = Observation(role="app", query="keys and count", value=len(truth.tenants), unit="tenants")
        yield Finding(relation, expected=0, actual=scan.foreign[relation], observations=(asked,))


def _served(scene: Scene) -> list[str]:
    """
    List the relations but for partitions, whose rows the service reads through the table that they are part of.
    """
    with superuser(scene, read_only=True) as conn:
        parts = read_parents(conn)
    return [name for name in tenant_relations(scene) if name not in parts]


@check(
    "rows.read.own-complete",
    title="Each tenant reads all of its own rows",
    phase="30",
    severity="high",
    why="A policy that hides everything isolates too; what a customer stored must be there.",
    how="As every tenant, read all keys; count those of its own, by their true owner, that are missing.",
    remedy="Look for a restrictive policy, a wrong tenant key, or a missing grant.",
    population=_served,
    on="copy",
)
def own_complete(scene: Scene) -> Iterator[Finding]:
    """Read as every tenant."""
    truth = read_truth(scene)
    with superuser(scene, read_only=True) as conn:
        parts = read_parents(conn)
    yield from (finding for finding in undecided(truth) if finding.subject not in parts)
    scan = read_scan(scene)
    for relation in truth.relations:
        if relation not in parts:
            yield Finding(relation, expected=0, actual=scan.missing[relation])


READING_CHECKS = (read_denied, own_complete)
