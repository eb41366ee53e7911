"""
Deterministic data: the same profile and seed give the same rows, times included.
"""

from knowledge.seed.load import apply_seed
from knowledge.seed.profile import PROFILES, Profile

__all__ = ["PROFILES", "Profile", "apply_seed"]
