"""
Phase 10: a clean, ordered, health-gated start that can be told from a broken one.
"""

from playbook.bringup import checks, containers, remains, sabotages, survival, weakened

__all__ = ["AFTERWARDS", "AFTERWARDS_SABOTAGES", "CHECKS", "SABOTAGES"]

CHECKS = (*checks.CHECKS, *containers.CHECKS, *survival.CHECKS)
SABOTAGES = (*sabotages.SABOTAGES, *weakened.SABOTAGES)
AFTERWARDS = remains.CHECKS
AFTERWARDS_SABOTAGES = remains.SABOTAGES
