"""
Owns judging a run of a service that is no target of ours: the same checks, asked of a result that is there already.
"""

from __future__ import annotations

from dataclasses import replace

from playbook.evidence.result import CheckResult
from playbook.load.checks import slo_met, tenants_apart
from playbook.load.findings import canary_findings, slo_findings, slo_names
from playbook.load.plan import Plan
from playbook.load.result import LATE_SHARE, LoadResult
from playbook.load.shape import Shape
from playbook.load.volume import weakness_of
from playbook.proof.execute import run_checks
from playbook.proof.scene import Scene
from playbook.target.target import Target

__all__ = ["judge"]


def judge(shape: Shape, plan: Plan, result: LoadResult) -> list[CheckResult]:
    """
    Compare a run with its shape's objectives; with a canary also tenant by tenant. Read-only.
    """
    p95_ms = shape.objectives.p95_ms
    late_limit_ms = None if p95_ms is None else LATE_SHARE * p95_ms
    unfit = result.unfit(declared_s=plan.duration_s, late_limit_ms=late_limit_ms)
    weakness = weakness_of(plan.requests, plan.duration_s)
    asked = [
        replace(
            slo_met,
            population=lambda _: slo_names(shape.objectives),
            probe=lambda _: slo_findings(result, shape.objectives, unfit=unfit, weakness=weakness),
        )
    ]
    marked = [one.name for one in plan.callers if one.canary is not None]
    if plan.canary is not None and marked:
        asked.append(
            replace(tenants_apart, population=lambda _: marked, probe=lambda _: canary_findings([result], marked))
        )
    scene = Scene(state="found", target=Target(version=1, name="load"), seed=plan.seed)
    return run_checks(asked, scene)
