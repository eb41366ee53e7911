"""
Owns the list of phase 20's faults; each kind stands in a module of its own.
"""

from __future__ import annotations

from playbook.proof.sabotage import Sabotage
from playbook.tenancy.blind import BLIND
from playbook.tenancy.blind_objects import BLIND_OBJECTS
from playbook.tenancy.inverted import INVERTED
from playbook.tenancy.readonly_faults import READONLY_FAULTS
from playbook.tenancy.role_faults import ROLE_FAULTS
from playbook.tenancy.row_faults import ROW_FAULTS
from playbook.tenancy.row_security_faults import ROW_SECURITY_FAULTS
from playbook.tenancy.schema_faults import KEY_FAULTS, MIGRATION_FAULTS

__all__ = ["SABOTAGES"]

SABOTAGES: tuple[Sabotage, ...] = (
    *KEY_FAULTS,
    *ROW_FAULTS,
    *ROW_SECURITY_FAULTS,
    *ROLE_FAULTS,
    *READONLY_FAULTS,
    *MIGRATION_FAULTS,
    *BLIND,
    *BLIND_OBJECTS,
    *INVERTED,
)
