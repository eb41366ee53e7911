"""
The stand-in service's stack, as the tests of the stack know it.
"""

from tests.stack.conftest import local_stack, stand_in

__all__ = ["local_stack", "stand_in"]
