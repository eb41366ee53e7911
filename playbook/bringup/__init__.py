"""
Phase 10: a clean, ordered, health-gated start that can be told from a broken one.
"""

from playbook.bringup.checks import CHECKS
from playbook.bringup.sabotages import SABOTAGES

__all__ = ["CHECKS", "SABOTAGES"]
