"""
Owns what phase 20 shows as tables: the plan with its locks, who owns which relation, and before against after.

It displays nothing; notebooks and reports do.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from playbook.evidence.result import CheckResult
from playbook.proof.scene import Scene
from playbook.tenancy.apply import Applied
from playbook.tenancy.relations import need_tenancy, tenant_relations
from playbook.tenancy.steps import Plan

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["applied_table", "before_after", "ownership_table", "plan_table"]

PLAN = ("step", "what", "lock", "cost", "runs", "SQL")
OWNERSHIP = ("relation", "class", "path to the tenant", "decided by", "reason")
APPLIED = ("step", "what", "result", "attempts", "seconds", "rows")


def plan_table(plan: Plan) -> pd.DataFrame:
    """
    Show each step with its lock, its cost and its SQL. Read-only.
    """
    rows = [
        (
            step.id,
            step.title,
            str(step.lock),
            step.effect,
            step.form,
            ";\n".join(one.as_string(None) for one in step.sql),
        )
        for step in plan.steps
    ]
    return _frame(rows, PLAN)


def ownership_table(scene: Scene) -> pd.DataFrame:
    """
    Show how each table of the catalogue reaches its tenant; one that nobody declared is `undecided`. Read-only.
    """
    declared = need_tenancy(scene.target).tables
    names = sorted({*tenant_relations(scene), *declared})
    rows = []
    for name in names:
        table = declared.get(name)
        if table is None:
            rows.append((name, "undecided", "", "", "not declared in the target"))
        else:
            path = " > ".join((table.path or "").split(">"))
            rows.append((name, table.kind, path, table.decided_by, table.reason or ""))
    return _frame(rows, OWNERSHIP)


def applied_table(applied: Sequence[Applied]) -> pd.DataFrame:
    """
    Show what became of each step. Read-only.
    """
    rows = [
        (one.step, one.title, "stood already" if one.already else "applied", one.attempts, one.duration_s, one.rows)
        for one in applied
    ]
    return _frame(rows, APPLIED)


def before_after(results: Iterable[CheckResult]) -> pd.DataFrame:
    """
    Show each check's outcome per subject in `found` and in `hardened`, side by side. Read-only.
    """
    seen: dict[tuple[str, str], Mapping[str, str]] = {}
    for result in results:
        if result.state in ("found", "hardened"):
            key = (result.id, result.subject or "(whole)")
            seen[key] = {**seen.get(key, {}), result.state: result.outcome}
    rows = [(*key, states.get("found", "not run"), states.get("hardened", "not run")) for key, states in seen.items()]
    return _frame(rows, ("check", "subject", "found", "hardened"))


def _frame(rows: Sequence[tuple[object, ...]], columns: Sequence[str]) -> pd.DataFrame:
    # Importing it takes longer than a whole command that shows no table.
    import pandas as pd  # noqa: PLC0415

    return pd.DataFrame(rows, columns=list(columns))
