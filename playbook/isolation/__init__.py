"""
Proof that tenants are kept apart: in rows over the service's own role, in its context and pool, and over HTTP.
"""

from playbook.isolation.checks import CHECKS
from playbook.isolation.sabotages import SABOTAGES

__all__ = ["CHECKS", "SABOTAGES"]
