"""
Owns the scan: what every tenant sees of every relation over the service's own connection, beside what is its own.

Keys never come to this process but for a tenant that sees too much or too little, and then one after another.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from psycopg import Connection, sql
from psycopg.rows import TupleRow

from playbook.isolation.acting import acting, app
from playbook.isolation.truth import Owned, Truth, read_truth, superuser
from playbook.proof.scene import Scene
from playbook.tenancy.relations import identifier

__all__ = ["Scan", "read_scan"]

READABLE = (
    "SELECT one FROM unnest(%s::text[], %s::text[]) AS t(one, quoted) WHERE has_table_privilege(quoted, 'SELECT')"
)
# One row more than is the tenant's own tells enough, and costs no more than reading its own.
ONE = """
SELECT {name}::text, count(*), coalesce(sum(hashtextextended(key, 0)::numeric)::text, '')
  FROM (SELECT {key}::text AS key FROM {relation} LIMIT %s) AS r
"""
COMPARED = """
SELECT count(*) FILTER (WHERE owner IS DISTINCT FROM %s), count(*) FILTER (WHERE owner = %s)
  FROM shown LEFT JOIN ({rows}) AS r(key, owner) USING (key)
"""


@dataclass(slots=True)
class Scan:
    """
    What all tenants together saw of each relation: rows that are not theirs, and own ones that they did not see.

    Both are numbers that there are at least; they are exact where only one tenant saw anything amiss.
    """

    foreign: Counter[str] = field(default_factory=Counter)
    missing: Counter[str] = field(default_factory=Counter)


def read_scan(scene: Scene) -> Scan:
    """
    Read, as each tenant, every relation, once per scene. Makes and drops a temporary table.
    """
    return scene.once("isolation.scan", lambda: _scan(scene, read_truth(scene)))


def _readable(conn: Connection[TupleRow], truth: Truth) -> list[str]:
    names = list(truth.relations)
    quoted = [identifier(name).as_string(None) for name in names]
    return [str(one) for (one,) in conn.execute(READABLE, (names, quoted)).fetchall()]


def _scan(scene: Scene, truth: Truth) -> Scan:
    scan = Scan()
    looked: set[str] = set()
    with app(scene) as conn, superuser(scene) as god:
        readable = _readable(conn, truth)
        query = sql.SQL(" UNION ALL ").join(
            sql.SQL(ONE).format(
                name=sql.Literal(relation),
                key=sql.Identifier(truth.relations[relation].ownership.primary_key),
                relation=identifier(relation),
            )
            for relation in readable
        )
        for tenant in truth.tenants:
            limits = [truth.relations[relation].of(tenant).rows + 1 for relation in readable]
            with acting(scene, conn, tenant):
                rows = conn.execute(query, limits).fetchall() if readable else []
            for relation, count, digest in rows:
                own = truth.relations[relation].of(tenant)
                if (count, digest) == (own.rows, own.digest):
                    continue
                if relation in looked and count != own.rows:
                    scan.foreign[relation] += max(0, count - own.rows)
                    scan.missing[relation] += max(0, own.rows - count)
                    continue
                looked.add(relation)
                with acting(scene, conn, tenant):
                    foreign, missing = _compared(conn, god, truth.relations[relation], tenant)
                scan.foreign[relation] += foreign
                scan.missing[relation] += missing
    for relation in truth.relations.keys() - set(readable):
        scan.missing[relation] = truth.relations[relation].rows
    return scan


def _compared(conn: Connection[TupleRow], god: Connection[TupleRow], owned: Owned, tenant: str) -> tuple[int, int]:
    """
    Hand what one tenant sees to the superuser, row by row; count what is not its own, and what of its own is missing.
    """
    query = sql.SQL("SELECT {key}::text FROM {relation}").format(
        key=sql.Identifier(owned.ownership.primary_key), relation=identifier(owned.ownership.relation)
    )
    god.execute("CREATE TEMPORARY TABLE shown (key text)")
    try:
        with god.cursor() as writer, writer.copy("COPY shown FROM STDIN") as copy, conn.cursor("shown") as reader:
            reader.itersize = 2000
            for row in reader.execute(query):
                copy.write_row(row)
        told = god.execute(sql.SQL(COMPARED).format(rows=owned.ownership.query()), (tenant, tenant)).fetchone()
    finally:
        god.execute("DROP TABLE shown")
    assert told is not None
    return int(told[0]), owned.of(tenant).rows - int(told[1])
