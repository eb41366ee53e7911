"""
Owns the checks about the rows after a migration: each with its true owner's tenant, none lost, none changed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from psycopg import errors, sql

from playbook.evidence.result import Observation
from playbook.postgres.connect import connect
from playbook.proof.check import Finding, check
from playbook.proof.scene import Scene
from playbook.tenancy.baseline import Baseline, read_baseline
from playbook.tenancy.kept_rows import KeptDigests
from playbook.tenancy.orphans import count_apart, count_orphans, list_open, quarantine_of
from playbook.tenancy.policies import read_app_role
from playbook.tenancy.relations import (
    child_relations,
    listed_tables,
    need_tenancy,
    read_parents,
    tenant_relations,
)
from playbook.tenancy.truth import NoPathError, read_ownership

__all__ = ["ROW_CHECKS"]


@check(
    "schema.rows.agree-with-owner",
    title="Every row stands under the tenant of its true owner",
    phase="20",
    severity="critical",
    why="A plan that gives old rows one default tenant hands customers' data to another (MT-3).",
    how="Compare each row's key, as superuser, with the tenant that the declared path of foreign keys leads to.",
    remedy="Set the key along the foreign keys; keep rows without an owner apart until a person decides.",
    population=child_relations,
    dear=True,
)
def agree_with_owner(scene: Scene) -> Iterator[Finding]:
    """Compare keys with owners."""
    tenancy = need_tenancy(scene.target)
    with connect(scene.database, "superuser", autocommit=True, read_only=True, purpose="rows") as conn:
        for relation in listed_tables(conn, tenancy):
            if relation == tenancy.root:
                continue
            try:
                owned = read_ownership(conn, tenancy, relation)
                query = sql.SQL("SELECT count(*) FROM ({rows}) AS r(id, owner, key) WHERE key IS DISTINCT FROM owner")
                row = conn.execute(query.format(rows=owned.query(column=tenancy.key))).fetchone()
            except (NoPathError, errors.UndefinedColumn) as err:
                yield Finding(relation, expected=0, actual=str(err).splitlines()[0])
                continue
            hops = " > ".join(hop.column for hop in owned.hops)
            seen = Observation(role="superuser", query=f"rows by {hops}", unit="rows")
            yield Finding(relation, expected=0, actual=row[0] if row else None, observations=(seen,))


@check(
    "schema.rows.kept",
    title="No row was lost or changed by the migration",
    phase="20",
    severity="critical",
    why="A migration is only as good as the proof that nothing went missing (MT-3, MT-5).",
    how="Digest the columns that each table had as found, and compare with the digest taken before the first step.",
    remedy="Restore the baseline; find the step that changed rows.",
    population=tenant_relations,
    dear=True,
)
def kept(scene: Scene) -> Iterator[Finding]:
    """Compare digests."""
    with connect(scene.database, "superuser", autocommit=True, purpose="rows") as conn:
        before = read_baseline(conn)
        listed = listed_tables(conn, need_tenancy(scene.target))
        parents = read_parents(conn)
        now = KeptDigests(conn, before, parents)
        for relation in listed:
            known = before.get(relation)
            if known is None:
                # What the migration itself made had no rows to lose; without a baseline nobody can say that.
                yield Finding(relation, expected="a digest taken before the migration", actual=_without(before))
                continue
            try:
                digest = now.of(relation)
            except (errors.UndefinedColumn, errors.UndefinedTable) as err:
                yield Finding(relation, expected=known.digest, actual=str(err).splitlines()[0])
                continue
            yield Finding(
                relation,
                expected=f"{known.rows} rows, {known.digest}",
                actual=f"{digest.rows} rows, {digest}",
                observations=(
                    Observation(role="superuser", query=f"digest of {', '.join(known.columns)}"),
                    Observation(role="superuser", query="of these in quarantine", value=now.apart(relation).rows),
                ),
            )


def _without(before: Mapping[str, Baseline]) -> str:
    return "a digest taken before the migration" if before else "none was taken"


@check(
    "schema.rows.orphans-apart",
    title="Rows that reach no tenant stand apart, counted, and closed to the service",
    phase="20",
    severity="critical",
    why="A default tenant would hand rows of nobody to a customer; left in place they make the key nullable (MT-3).",
    how="Count, as superuser, the rows whose declared path leads to no tenant, in the table and in its quarantine.",
    remedy="Move them into the quarantine until a person decides; grant nothing on it to the service.",
    population=child_relations,
    dear=True,
)
def orphans_apart(scene: Scene) -> Iterator[Finding]:
    """Count the rows of nobody."""
    tenancy = need_tenancy(scene.target)
    role = read_app_role(scene)
    with connect(scene.database, "superuser", autocommit=True, read_only=True, purpose="orphans") as conn:
        parents = read_parents(conn)
        before = read_baseline(conn)
        for relation in listed_tables(conn, tenancy):
            if relation == tenancy.root:
                continue
            parent = parents.get(relation)
            apart = quarantine_of(parent or relation)
            known = before.get(relation)
            try:
                among = count_orphans(conn, tenancy, relation, last=known.last if known else None)
            except NoPathError as err:
                yield Finding(relation, expected="an owner of each row", actual=str(err).splitlines()[0])
                continue
            kept_apart = count_apart(conn, apart, part=relation if parent else None)
            may = list_open(conn, apart, role)
            yield Finding(
                relation,
                expected={"among tenants' rows": 0, "the service may": []},
                actual={"among tenants' rows": among, "the service may": [*may]},
                observations=(Observation(role="superuser", query=apart, value=kept_apart, unit="rows apart"),),
            )


ROW_CHECKS = (agree_with_owner, kept, orphans_apart)
