"""
Owns showing a migration: its plan, every relation before and after, the rows of nobody, the digests, who owns what.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence

from psycopg.sql import Composed

from playbook.evidence.result import CheckResult
from playbook.figures.marks import Cell
from playbook.figures.ownership_graph import OwnedTable, ownership_graph
from playbook.notebook.figure_view import FigureView
from playbook.notebook.script import Script
from playbook.notebook.table import Table
from playbook.proof.scene import Scene
from playbook.tenancy.baseline import Digest
from playbook.tenancy.census import Counted, read_apart, read_owned, read_relations
from playbook.tenancy.kept_rows import compare_digests
from playbook.tenancy.steps import Plan

__all__ = ["digest_table", "ownership_picture", "plan_locks", "plan_script", "quarantine_table", "relations_table"]

COSTS = {"rewrite": "rewrites the table", "scan": "scans the table", "brief": "brief"}


def plan_locks(plan: Plan) -> Table:
    """
    Count the plan's steps by the lock that they take and what they do while they hold it. Read-only.
    """
    counted = Counter((step.lock.mode, COSTS[step.effect], step.form) for step in plan.steps)
    rows = [(lock, cost, form, str(number)) for (lock, cost, form), number in sorted(counted.items())]
    return Table(("lock", "while it is held", "runs", "steps"), rows, caption=f"{len(plan.steps)} steps")


def plan_script(plan: Plan) -> Script:
    """
    Show the plan's SQL, each step with its lock, its cost and how it runs. Read-only.
    """
    lines = []
    for number, step in enumerate(plan.steps, 1):
        lines.append(f"-- {number} {step.id}: {step.title}")
        lines.append(f"-- {step.lock} · {COSTS[step.effect]} · {step.form}")
        lines += [f"{_spell(one)};" for one in step.sql] + [""]
    return Script("\n".join(lines).rstrip(), caption=f"{plan.title}: revision {plan.revision}")


def relations_table(found: Scene, hardened: Scene, results: Sequence[CheckResult]) -> Table:
    """
    Show every relation of either catalogue before and after: rows, guard, and how many checks are red. Read-only.
    """
    before, after = read_relations(found), read_relations(hardened)
    rows = []
    for name in sorted({*before, *after}):
        old, new = before.get(name), after.get(name)
        one = new or old
        assert one is not None
        rows.append(
            (
                name,
                f"{one.kind}, {one.owned}",
                f"{_rows(old)} → {_rows(new)}",
                f"{old.security if old else 'not there'} → {new.security if new else 'gone'}",
                _outcome(results, name, "found"),
                _outcome(results, name, "hardened"),
            )
        )
    columns = ("relation", "what", "rows", "row security", "found", "hardened")
    return Table(columns, rows, caption=f"{len(rows)} relations: every one of both catalogues")


def quarantine_table(scene: Scene) -> Table:
    """
    Show the rows that reach no tenant. Read-only.
    """
    apart = read_apart(scene)
    rows = [(one.came_from, one.reason, str(one.rows)) for one in apart]
    total = sum(one.rows for one in apart)
    return Table(("came from", "reason", "rows"), rows, caption=f"{total} rows of nobody, until a person decides")


def digest_table(found: Scene, hardened: Scene) -> Table:
    """
    Show each table's digest as found and after the migration, those in quarantine counted with it. Read-only.
    """
    compared = compare_digests(found, hardened)
    rows: list[tuple[str | Cell, ...]] = [
        (
            one.relation,
            f"{one.found.rows} rows, {_short(one.found)}",
            f"{one.hardened.rows} rows, {_short(one.hardened)}",
            str(one.apart),
            Cell("pass", "the same") if one.found == one.hardened else Cell("fail", "not the same"),
        )
        for one in compared
    ]
    same = sum(one.found == one.hardened for one in compared)
    columns = ("relation", "as found", "after", "of these in quarantine", "rows")
    return Table(columns, rows, caption=f"{same} of {len(compared)} tables hold the same rows as before")


def ownership_picture(scene: Scene) -> FigureView:
    """
    Draw how each table of the catalogue reaches its tenant. Read-only.
    """
    owned = [OwnedTable(one.name, one.owned, one.column, one.parent) for one in read_owned(scene)]
    return FigureView(ownership_graph(owned, title=f"How each table of {scene.state} reaches its tenant"))


def _spell(statement: Composed) -> str:
    return statement.as_string(None)


def _rows(one: Counted | None) -> str:
    return "–" if one is None or one.rows is None else str(one.rows)  # noqa: RUF001 (the sign is a dash)


def _short(digest: Digest) -> str:
    return hashlib.sha256(str(digest).encode()).hexdigest()[:12]


def _outcome(results: Sequence[CheckResult], relation: str, state: str) -> Cell:
    mine = [one.outcome for one in results if (one.subject, one.state) == (relation, state)]
    red = sum(one in ("fail", "error") for one in mine)
    if not mine:
        return Cell("absent", "not asked")
    return Cell("fail", f"{red} of {len(mine)} red") if red else Cell("pass", f"{len(mine)} pass")
