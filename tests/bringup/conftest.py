"""
The reference service's stack, as the tests of phase 20 know it.
"""

from tests.tenancy.conftest import Bench, bench, target

__all__ = ["Bench", "bench", "target"]
