"""
Phase 70: backups that are proved by restoring them.
"""

from playbook.recovery.checks import CHECKS
from playbook.recovery.phase import drill_state, procedure_bench
from playbook.recovery.sabotages import SABOTAGES
from playbook.recovery.tables import equality_table, fault_table, recovered_ways

__all__ = [
    "CHECKS",
    "SABOTAGES",
    "drill_state",
    "equality_table",
    "fault_table",
    "procedure_bench",
    "recovered_ways",
]
