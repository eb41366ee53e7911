"""
Owns the checks about reading rows: one scan per acting tenant covers the rows of all others.
"""

from __future__ import annotations

from collections.abc import Iterator

from playbook.evidence.result import Observation
from playbook.isolation.scan import read_scan
from playbook.isolation.truth import Truth, read_truth, superuser
from playbook.proof.check import Finding, check
from playbook.proof.scene import Scene
from playbook.tenancy.relations import read_parents, tenant_relations

__all__ = ["READING_CHECKS", "undecided"]


def undecided(truth: Truth) -> Iterator[Finding]:
    """
    Say of which relations nobody knows whose the rows are: a red that a person must answer.
    """
    for relation, reason in truth.unknown.items():
        yield Finding.undecided(reason, subject=relation)


@check(
    "rows.read.cross-tenant-denied",
    title="No tenant reads another's rows",
    phase="30",
    severity="critical",
    why="One row of another customer on a page is a breach (MT-4, MT-8).",
    how="As every tenant, over the service's own connection, count and digest the keys; compare with the true owners'.",
    remedy="A policy that compares the tenant's key with the bound tenant, forced; look for a second, wider policy.",
    population=tenant_relations,
    on="copy",
    reach="rows",
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
    reach="rows",
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
