"""
Phase 60: what the service does under load, under a rolling restart, and as its data grows.
"""

from playbook.load.checks import CHECKS
from playbook.load.sabotages import SABOTAGES

__all__ = ["CHECKS", "SABOTAGES"]
