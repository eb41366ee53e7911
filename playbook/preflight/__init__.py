"""
Phase 00: the machine that the evidence comes from, and the hygiene of the target's repository.
"""

from playbook.preflight.checks import CHECKS
from playbook.preflight.machine import machine_rows
from playbook.preflight.phase import look_at_source, source_bench
from playbook.preflight.sabotages import SABOTAGES

__all__ = ["CHECKS", "SABOTAGES", "look_at_source", "machine_rows", "source_bench"]
