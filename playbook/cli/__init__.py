"""
One module per command group.
"""

from playbook.cli.root import main

__all__ = ["main"]
