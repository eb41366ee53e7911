"""
Owns what the faults of phase 70 are made of: subjects, checks that turn red together, and the sabotage itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from playbook.proof.sabotage import ProcedureFault, Sabotage

__all__ = ["COMPLETED", "EARLIER", "LOGICAL", "PHYSICAL", "ROWS", "SCHEMA", "fault"]

LOGICAL = ("logical",)
PHYSICAL = ("physical",)
ROWS = {"restore.rows.equal": LOGICAL}
COMPLETED = {"restore.completed": LOGICAL}
SCHEMA = {"restore.schema.equal": LOGICAL}
EARLIER = ("restore.canary.present", "restore.point.exact", "restore.rows.equal")


def fault(
    name: str,
    title: str,
    protection: str,
    mechanism: str,
    kills: Mapping[str, tuple[str, ...]],
    *,
    profile: Literal["quick", "standard"] = "quick",
    blind: bool = False,
) -> Sabotage:
    """
    Make a sabotage of phase 70 that is the mutation of the same name; one that kills nothing is harmless.
    """
    return Sabotage(
        name=name,
        title=title,
        phase="70",
        protection=protection,
        mechanism=mechanism,
        fault=ProcedureFault(name),
        kills=kills,
        harmless=not kills,
        profile=profile,
        blind=blind,
    )
