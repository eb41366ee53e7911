"""
Owns the census: every relation of the catalogue with its rows and what guards them, and the rows of nobody.
"""

from __future__ import annotations

from dataclasses import dataclass

from psycopg import sql

from playbook.postgres.connect import connect
from playbook.proof.scene import Scene
from playbook.tenancy.quarantine import QUARANTINE
from playbook.tenancy.relations import every_relation, identifier, need_tenancy
from playbook.tenancy.truth import NoPathError, read_ownership

__all__ = ["Apart", "Counted", "Owned", "read_apart", "read_owned", "read_relations"]

GUARDED = """
SELECT format('%%s.%%s', n.nspname, c.relname),
       CASE WHEN c.relispartition THEN 'partition' WHEN c.relkind = 'p' THEN 'partitioned table'
            WHEN c.relkind = 'v' THEN 'view' WHEN c.relkind = 'm' THEN 'materialized view'
            WHEN c.relkind = 'f' THEN 'foreign table' ELSE 'table' END,
       CASE WHEN c.relkind = 'v' THEN CASE WHEN 'security_invoker=true' = ANY (c.reloptions)
                                           THEN 'its reader''s rights' ELSE 'its owner''s rights' END
            WHEN c.relkind = 'm' THEN 'none possible'
            WHEN NOT c.relrowsecurity THEN 'none'
            WHEN c.relforcerowsecurity THEN 'forced' ELSE 'not forced' END,
       EXISTS (SELECT FROM pg_attribute a
                WHERE a.attrelid = c.oid AND a.attname = %(key)s AND NOT a.attisdropped AND a.attnotnull)
  FROM pg_class c
  JOIN pg_namespace n ON n.oid = c.relnamespace
"""
APART = "SELECT came_from, reason, count(*) FROM {table} GROUP BY 1, 2 ORDER BY 1, 2"


@dataclass(frozen=True, slots=True)
class Counted:
    """
    One relation: what it is, how its tenant is declared to be found, its rows (None: a view), and its guard.
    """

    name: str
    kind: str
    owned: str
    rows: int | None
    security: str
    keyed: bool


@dataclass(frozen=True, slots=True)
class Apart:
    """
    Rows of nobody: where they came from, and why they are apart.
    """

    came_from: str
    reason: str
    rows: int


@dataclass(frozen=True, slots=True)
class Owned:
    """
    How one relation reaches its tenant: its class, the column it starts with, and the relation that this leads to.
    """

    name: str
    owned: str
    column: str | None = None
    parent: str | None = None


def read_relations(scene: Scene) -> dict[str, Counted]:
    """
    Count every relation of the catalogue. Read-only; scans each table once.
    """
    tenancy = need_tenancy(scene.target)
    names = every_relation(scene)
    counted: dict[str, Counted] = {}
    with connect(scene.database, "superuser", autocommit=True, read_only=True, purpose="census") as conn:
        known = {str(row[0]): row[1:] for row in conn.execute(GUARDED.encode(), {"key": tenancy.key}).fetchall()}
        for name in names:
            kind, security, keyed = known[name]
            rows = None
            if kind != "view":
                row = conn.execute(sql.SQL("SELECT count(*) FROM {}").format(identifier(name))).fetchone()
                rows = int(row[0]) if row else None
            table = tenancy.tables.get(name)
            owned = table.kind if table else "follows its tables" if "view" in kind else "undecided"
            counted[name] = Counted(name, str(kind), owned, rows, str(security), bool(keyed))
    return counted


def read_apart(scene: Scene) -> list[Apart]:
    """
    Count what stands in quarantine. Read-only.
    """
    found = []
    with connect(scene.database, "superuser", autocommit=True, read_only=True, purpose="quarantine") as conn:
        for name in every_relation(scene):
            if name.startswith(f"{QUARANTINE}."):
                rows = conn.execute(sql.SQL(APART).format(table=identifier(name))).fetchall()
                found += [Apart(str(origin), str(reason), int(count)) for origin, reason, count in rows]
    return found


def read_owned(scene: Scene) -> list[Owned]:
    """
    Find how each table of the catalogue reaches its tenant, by foreign keys that are there. Read-only.

    One that is declared `shared` reaches none; one that nobody declared, or that has no such key, is `undecided`.
    """
    tenancy = need_tenancy(scene.target)
    found = []
    with connect(scene.database, "superuser", autocommit=True, read_only=True, purpose="ownership") as conn:
        kinds = {str(row[0]): str(row[1]) for row in conn.execute(GUARDED.encode(), {"key": tenancy.key}).fetchall()}
        for name in every_relation(scene):
            table = tenancy.tables.get(name)
            if "view" in kinds[name]:
                continue
            if name == tenancy.root or (table is not None and table.kind == "shared"):
                found.append(Owned(name, "root" if name == tenancy.root else "shared"))
                continue
            try:
                first = read_ownership(conn, tenancy, name).hops[0]
            except NoPathError:
                found.append(Owned(name, "undecided"))
                continue
            found.append(Owned(name, table.kind if table else "undecided", first.column, first.parent))
    return found
