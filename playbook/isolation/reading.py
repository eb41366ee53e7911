"""
Owns the checks about reading rows: one scan per acting tenant covers the rows of all others.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from psycopg import errors, sql

from playbook.evidence.result import Observation
from playbook.isolation.acting import acting, app
from playbook.isolation.truth import Truth, read_truth
from playbook.proof.check import Finding, check
from playbook.proof.scene import Scene
from playbook.tenancy.relations import identifier, tenant_relations

__all__ = ["READING_CHECKS", "undecided"]

Seen = dict[str, dict[str, set[str]]]


def undecided(truth: Truth) -> Iterator[Finding]:
    """
    Say of which relations nobody knows whose the rows are: a red that a person must answer.
    """
    for relation, reason in truth.unknown.items():
        yield Finding.undecided(reason, subject=relation)


def _scan(scene: Scene, truth: Truth) -> tuple[Seen, Counter[str]]:
    """
    Read, as each tenant, every relation's keys and its count; by relation and tenant.
    """
    seen: Seen = {relation: {} for relation in truth.relations}
    counted: Counter[str] = Counter()
    with app(scene) as conn:
        for tenant in truth.tenants:
            for relation, owned in truth.relations.items():
                names = {"key": sql.Identifier(owned.ownership.primary_key), "relation": identifier(relation)}
                try:
                    with acting(scene, conn, tenant):
                        rows = conn.execute(sql.SQL("SELECT {key}::text FROM {relation}").format(**names)).fetchall()
                        count = conn.execute(sql.SQL("SELECT count(*) FROM {relation}").format(**names)).fetchone()
                except errors.InsufficientPrivilege:
                    rows, count = [], (0,)
                seen[relation][tenant] = {str(key) for (key,) in rows}
                counted[relation] += max(0, (int(count[0]) if count else 0) - len(owned.of(tenant)))
    return seen, counted


@check(
    "rows.read.cross-tenant-denied",
    title="No tenant reads another's rows",
    phase="30",
    severity="critical",
    why="One row of another customer on a page is a breach (MT-4, MT-8).",
    how="As every tenant, over the service's own connection, read all keys and count; compare with the true owners.",
    remedy="A policy that compares the tenant's key with the bound tenant, forced; look for a second, wider policy.",
    population=tenant_relations,
    on="copy",
)
def read_denied(scene: Scene) -> Iterator[Finding]:
    """Read as every tenant."""
    truth = read_truth(scene)
    yield from undecided(truth)
    seen, counted = _scan(scene, truth)
    for relation, owned in truth.relations.items():
        foreign = sum(owned.owners.get(key) != tenant for tenant, keys in seen[relation].items() for key in keys)
        asked = Observation(role="app", query="keys and count", value=len(truth.tenants), unit="tenants")
        yield Finding(relation, expected=0, actual=max(foreign, counted[relation]), observations=(asked,))


@check(
    "rows.read.own-complete",
    title="Each tenant reads all of its own rows",
    phase="30",
    severity="high",
    why="A policy that hides everything isolates too; what a customer stored must be there.",
    how="As every tenant, read all keys; count those of its own, by their true owner, that are missing.",
    remedy="Look for a restrictive policy, a wrong tenant key, or a missing grant.",
    population=tenant_relations,
    on="copy",
)
def own_complete(scene: Scene) -> Iterator[Finding]:
    """Read as every tenant."""
    truth = read_truth(scene)
    yield from undecided(truth)
    seen, _ = _scan(scene, truth)
    for relation, owned in truth.relations.items():
        missing = sum(key not in seen[relation][tenant] for key, tenant in owned.owners.items())
        yield Finding(relation, expected=0, actual=missing)


READING_CHECKS = (read_denied, own_complete)
