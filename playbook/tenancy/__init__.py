"""
Turning a schema into one that keeps its tenants apart: the plan, its application, and phase 20's checks.
"""

from playbook.tenancy.apply import Applied, apply
from playbook.tenancy.census import read_apart, read_owned, read_relations
from playbook.tenancy.checks import CHECKS
from playbook.tenancy.fixed_plan import fixed_plan, fixed_plan_for
from playbook.tenancy.kept_rows import compare_digests
from playbook.tenancy.sabotages import SABOTAGES
from playbook.tenancy.steps import Plan, Step

__all__ = [
    "CHECKS",
    "SABOTAGES",
    "Applied",
    "Plan",
    "Step",
    "apply",
    "compare_digests",
    "fixed_plan",
    "fixed_plan_for",
    "read_apart",
    "read_owned",
    "read_relations",
]
