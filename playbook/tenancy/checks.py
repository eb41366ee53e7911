"""
Owns the list of phase 20's checks; what each asks stands in the module of its concern.
"""

from __future__ import annotations

from playbook.proof.check import Check
from playbook.tenancy.definers import DEFINER_CHECKS
from playbook.tenancy.keys import KEY_CHECKS
from playbook.tenancy.migrations import MIGRATION_CHECKS
from playbook.tenancy.numbers import NUMBER_CHECKS
from playbook.tenancy.policies import POLICY_CHECKS
from playbook.tenancy.readonly import READONLY_CHECKS
from playbook.tenancy.roles import ROLE_CHECKS
from playbook.tenancy.root import ROOT_CHECKS
from playbook.tenancy.rows import ROW_CHECKS
from playbook.tenancy.views import VIEW_CHECKS

__all__ = ["CHECKS"]

CHECKS: tuple[Check, ...] = (
    *ROOT_CHECKS,
    *KEY_CHECKS,
    *NUMBER_CHECKS,
    *ROW_CHECKS,
    *POLICY_CHECKS,
    *VIEW_CHECKS,
    *DEFINER_CHECKS,
    *ROLE_CHECKS,
    *READONLY_CHECKS,
    *MIGRATION_CHECKS,
)
