"""
Rate limits, measured from outside: declared in a file, asked over HTTP, judged by pure functions.
"""

from playbook.limits.checks import CHECKS
from playbook.limits.copies import limited_copies
from playbook.limits.declaration import Declaration, Limit, read_declaration
from playbook.limits.sabotages import SABOTAGES

__all__ = ["CHECKS", "SABOTAGES", "Declaration", "Limit", "limited_copies", "read_declaration"]
