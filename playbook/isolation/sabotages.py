"""
Owns the list of phase 30's faults; each kind stands in a module of its own.
"""

from __future__ import annotations

from playbook.isolation.blind import BLIND
from playbook.isolation.blind_endpoints import BLIND_ENDPOINTS
from playbook.isolation.ground_faults import GROUND_FAULTS
from playbook.isolation.inverted import INVERTED
from playbook.isolation.policy_faults import POLICY_FAULTS
from playbook.isolation.service_faults import SERVICE_FAULTS
from playbook.proof.sabotage import Sabotage

__all__ = ["SABOTAGES"]

SABOTAGES: tuple[Sabotage, ...] = (
    *POLICY_FAULTS,
    *GROUND_FAULTS,
    *SERVICE_FAULTS,
    *BLIND,
    *BLIND_ENDPOINTS,
    *INVERTED,
)
