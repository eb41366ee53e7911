"""
Owns the list of phase 30's checks; what each asks stands in the module of its concern.
"""

from __future__ import annotations

from playbook.isolation.context import CONTEXT_CHECKS
from playbook.isolation.headers import HEADER_CHECKS
from playbook.isolation.lists import LIST_CHECKS
from playbook.isolation.logs import LOG_CHECKS
from playbook.isolation.objects import OBJECT_CHECKS
from playbook.isolation.parents import PARENT_CHECKS
from playbook.isolation.pool import POOL_CHECKS
from playbook.isolation.reading import READING_CHECKS
from playbook.isolation.standing import STANDING_CHECKS
from playbook.isolation.telling import TELLING_CHECKS
from playbook.isolation.unbound import UNBOUND_CHECKS
from playbook.isolation.uploads import UPLOAD_CHECKS
from playbook.isolation.views import VIEW_CHECKS
from playbook.isolation.writing import WRITING_CHECKS
from playbook.proof.check import Check

__all__ = ["CHECKS"]

CHECKS: tuple[Check, ...] = (
    *READING_CHECKS,
    *VIEW_CHECKS,
    *WRITING_CHECKS,
    *CONTEXT_CHECKS,
    *POOL_CHECKS,
    *OBJECT_CHECKS,
    *LIST_CHECKS,
    *HEADER_CHECKS,
    *PARENT_CHECKS,
    *STANDING_CHECKS,
    *UNBOUND_CHECKS,
    *TELLING_CHECKS,
    *UPLOAD_CHECKS,
    *LOG_CHECKS,
)
