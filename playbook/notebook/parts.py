"""
Owns showing a stack's fingerprint: which part, which version, which digest, from where.
"""

from __future__ import annotations

from collections.abc import Mapping

from playbook.notebook.table import Table
from playbook.stack.protocol import PartVersion

__all__ = ["parts_table"]


def parts_table(parts: Mapping[str, PartVersion]) -> Table:
    """
    Show each part of a stack; digests are cut to twelve digits, whole in the evidence.
    """
    rows = [(name, part.version, part.digest[:12], part.origin) for name, part in sorted(parts.items())]
    return Table(columns=("part", "version", "sha256", "origin"), rows=tuple(rows), caption="The stack's parts")
