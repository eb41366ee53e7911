"""
Owns the list of phase 30's checks; what each asks stands in the module of its concern.
"""

from __future__ import annotations

from playbook.isolation.context import CONTEXT_CHECKS
from playbook.isolation.lists import LIST_CHECKS
from playbook.isolation.objects import OBJECT_CHECKS
from playbook.isolation.parents import PARENT_CHECKS
from playbook.isolation.pool import POOL_CHECKS
from playbook.isolation.reading import READING_CHECKS
from playbook.isolation.writing import WRITING_CHECKS
from playbook.proof.check import Check

__all__ = ["CHECKS"]

CHECKS: tuple[Check, ...] = (
    *READING_CHECKS,
    *WRITING_CHECKS,
    *CONTEXT_CHECKS,
    *POOL_CHECKS,
    *OBJECT_CHECKS,
    *LIST_CHECKS,
    *PARENT_CHECKS,
)
