"""
Owns comparing a table's rows with what they were as found, wherever the migration put them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from psycopg import Connection
from psycopg.rows import TupleRow

from playbook.postgres.connect import connect
from playbook.proof.scene import Scene
from playbook.tenancy.baseline import Baseline, Digest, read_baseline, read_digest
from playbook.tenancy.fixed_plan import RECORD
from playbook.tenancy.orphans import quarantine_of
from playbook.tenancy.relations import identifier, read_parents

__all__ = ["Compared", "KeptDigests", "compare_digests"]


@dataclass(frozen=True, slots=True)
class Compared:
    """
    One table's rows in the state as found and in the hardened one, of which some may stand in quarantine.
    """

    relation: str
    found: Digest
    hardened: Digest
    apart: int


def compare_digests(found: Scene, hardened: Scene) -> list[Compared]:
    """
    Digest every table that the hardened state had before its migration, there and in the state as found. Read-only.

    Both are read now, over the columns as found and up to the rows that were there when the migration began. The
    migration tool's own record is left out: it changes, as it must.
    """
    with (
        connect(found.database, "superuser", autocommit=True, purpose="digest") as old,
        connect(hardened.database, "superuser", autocommit=True, purpose="digest") as new,
    ):
        before = read_baseline(new)
        parents = read_parents(new)
        then, now = KeptDigests(old, before, parents), KeptDigests(new, before, parents)
        return [
            Compared(one, then.of(one), now.of(one), now.apart(one).rows)
            for one in sorted(before)
            if not one.endswith(f".{RECORD}")
        ]


@dataclass(slots=True)
class KeptDigests:
    """
    Digests of the columns as found, those in quarantine included; every table is read once, partitions with it.
    """

    conn: Connection[TupleRow]
    before: Mapping[str, Baseline]
    parents: Mapping[str, str]
    read: dict[str, Mapping[str, Digest]] = field(default_factory=dict)

    def of(self, relation: str) -> Digest:
        """
        Give a table's digest, or a partition's out of its parent's.
        """
        return self._part(relation, relation, apart=False) + self.apart(relation)

    def apart(self, relation: str) -> Digest:
        """
        Give the digest of the rows that were put into quarantine.
        """
        table = quarantine_of(self.parents.get(relation, relation))
        return self._part(relation, table, apart=True) if self._there(table) else Digest()

    def _there(self, table: str) -> bool:
        row = self.conn.execute("SELECT to_regclass(%s) IS NOT NULL", (identifier(table).as_string(None),)).fetchone()
        return row is not None and row[0] is True

    def _part(self, relation: str, table: str, *, apart: bool) -> Digest:
        parent = self.parents.get(relation)
        table = table if apart or parent is None else parent
        if table not in self.read:
            known = self.before[parent or relation]
            self.read[table] = read_digest(self.conn, table, known.columns, upto=known.upto, came_from=apart)
        if parent is None:
            return sum(self.read[table].values(), Digest())
        return self.read[table].get(relation, Digest())
