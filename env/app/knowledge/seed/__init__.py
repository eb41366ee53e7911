"""
Deterministic data: the same profile, seed and password give the same rows, times and hashes included.
"""

from knowledge.seed.load import apply_seed
from knowledge.seed.profile import PROFILES, Profile

__all__ = ["PROFILES", "Profile", "apply_seed"]
