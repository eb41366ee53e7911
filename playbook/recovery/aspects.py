"""
Owns the checks that compare a restored database with the truth, one per aspect.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from playbook.evidence.result import Observation
from playbook.proof.check import Check, Finding, Probe, Severity, check
from playbook.proof.scene import Scene
from playbook.recovery.difference import difference
from playbook.recovery.findings import listed, naive_said, nothing_restored, restored, routes
from playbook.recovery.rehearsal import Rehearsal

__all__ = ["ASPECT_CHECKS"]


@dataclass(frozen=True, slots=True)
class _Aspect:
    name: str
    id: str
    title: str
    severity: Severity
    why: str
    how: str
    remedy: str


_ASPECTS = (
    _Aspect(
        "rows", "restore.rows.equal", "Every row of every tenant came back as it was", "critical",
        "A count may be right while content is not; a total may be right while one tenant is empty (BK-6).",
        "Per table and tenant, count and sum of hashes of all columns at the exact moment, in source and copy.",
        "Dump as a role that bypasses row security, with row_security off, so that hidden rows are an error.",
    ),
    _Aspect(
        "sequences", "restore.sequences.ahead", "Every sequence stands behind its column's last value", "high",
        "A sequence left behind makes the first inserts after the restore fail, or reuse numbers.",
        "Compare each sequence with the greatest value in its column and with where it stood in the source.",
        "Do not leave sequences out of the dump; set them after any copy of tables.",
    ),
    _Aspect(
        "roles", "restore.roles.equal", "Roles, attributes, memberships, settings and passwords came back", "critical",
        "Roles are the server's, not the database's: pg_dump leaves them out, and policies and grants with them.",
        "Compare the catalogue's roles, and log in as each role of the service.",
        "Dump the globals with every backup, passwords included, and restore them first.",
    ),
    _Aspect(
        "database", "restore.database.equal", "The database's own settings, grants and properties came back", "high",
        "Without --create a restore loses them in silence: limits, time-outs, who may connect.",
        "Compare settings (per database, and per role in it), its ACL, owner, limit, encoding, collation and comment.",
        "Dump in custom form, and let pg_restore --create make the database.",
    ),
    _Aspect(
        "grants", "restore.grants.equal", "Every grant and default privilege came back", "critical",
        "Grants to a role that is not there are dropped, and psql still ends with 0.",
        "Compare aclexplode(coalesce(acl, acldefault(…))) of every object, and default privileges.",
        "Restore the globals first, and let the restore stop at the first error.",
    ),
    _Aspect(
        "policies", "restore.policies.equal", "Every policy came back, row security forced as before", "critical",
        "Restored without roles or with --no-policies, ENABLE and FORCE read true over no policy at all.",
        "Compare policies with their expressions and roles, and the flags of every table.",
        "Restore the globals first; never leave policies out of a dump.",
    ),
    _Aspect(
        "schema", "restore.schema.equal", "Everything else in the database came back", "high",
        "Dumps of named schemas lose extensions, large objects, publications and event triggers.",
        "Compare relations with owners, columns, constraints, indexes, triggers, functions, types, extensions, "
        "publications, event triggers, large objects and comments.",
        "Dump the whole database, not schemas by name.",
    ),
)  # fmt: skip


def _aspect(one: _Aspect) -> Check:
    def probe(scene: Scene) -> Iterator[Finding]:
        """Compare portraits."""
        for rehearsal, route, report in restored(scene):
            if report.portrait is None:
                yield nothing_restored(route, report)
                continue
            found = difference(one.name, rehearsal.truth.portrait, report.portrait, route)
            if one.name == "roles":
                found += [f"{role} cannot log in: {why}" for role, why in report.logins.items()]
            compared = Observation(role="superuser", query=one.how, value=_compared(one.name, rehearsal))
            yield Finding(
                route, expected=[], operator="empty", actual=listed(found), observations=(compared, *naive_said(report))
            )

    made: Probe = probe
    return check(
        one.id,
        title=one.title,
        phase="70",
        severity=one.severity,
        why=one.why,
        how=one.how,
        remedy=one.remedy,
        population=routes,
    )(made)


def _compared(aspect: str, rehearsal: Rehearsal) -> str:
    """
    Say how much was compared.
    """
    truth = rehearsal.truth.portrait
    catalog = truth.catalog
    return {
        "rows": f"{truth.count} rows, {sum(map(len, truth.rows.values()))} groups, {len(truth.rows)} tables",
        "sequences": f"{len(truth.sequences)} sequences",
        "roles": f"{len(catalog.roles)} roles, {len(catalog.memberships)} memberships",
        "database": f"{len(truth.database)} properties",
        "grants": f"{len(catalog.grants)} grants, {len(catalog.default_grants)} defaults",
        "policies": f"{len(catalog.policies)} policies, {len(truth.rows)} tables",
        "schema": f"{len(catalog.columns)} columns, {len(catalog.indexes)} indexes, {len(truth.objects)} others",
    }[aspect]


ASPECT_CHECKS: tuple[Check, ...] = tuple(_aspect(one) for one in _ASPECTS)
