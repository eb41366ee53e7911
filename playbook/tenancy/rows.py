"""
Owns the checks about the rows after a migration: each with its true owner's tenant, none lost, none changed.
"""

from __future__ import annotations

from collections.abc import Iterator

from psycopg import errors, sql

from playbook.evidence.result import Observation
from playbook.postgres.connect import connect
from playbook.proof.check import Finding, check
from playbook.proof.scene import Scene
from playbook.tenancy.baseline import read_baseline, read_digest
from playbook.tenancy.relations import child_relations, listed_tables, need_tenancy, tenant_relations
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
)
def kept(scene: Scene) -> Iterator[Finding]:
    """Compare digests."""
    with connect(scene.database, "superuser", autocommit=True, purpose="rows") as conn:
        before = read_baseline(conn)
        for relation in listed_tables(conn, need_tenancy(scene.target)):
            known = before.get(relation)
            if known is None:
                yield Finding(relation, expected="a digest taken before the migration", actual="none was taken")
                continue
            try:
                rows, digest = read_digest(conn, relation, known.columns)
            except errors.UndefinedColumn as err:
                yield Finding(relation, expected=known.digest, actual=str(err).splitlines()[0])
                continue
            yield Finding(
                relation,
                expected=f"{known.rows} rows, {known.digest}",
                actual=f"{rows} rows, {digest}",
                observations=(Observation(role="superuser", query=f"digest of {', '.join(known.columns)}"),),
            )


ROW_CHECKS = (agree_with_owner, kept)
