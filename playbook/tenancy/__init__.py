"""
Turning a schema into one that keeps its tenants apart: the plan, its application, and phase 20's checks.
"""

from playbook.tenancy.apply import Applied, apply
from playbook.tenancy.checks import CHECKS
from playbook.tenancy.fixed_plan import fixed_plan
from playbook.tenancy.sabotages import SABOTAGES
from playbook.tenancy.steps import Plan, Step
from playbook.tenancy.tables import applied_table, before_after, ownership_table, plan_table

__all__ = [
    "CHECKS",
    "SABOTAGES",
    "Applied",
    "Plan",
    "Step",
    "applied_table",
    "apply",
    "before_after",
    "fixed_plan",
    "ownership_table",
    "plan_table",
]
