"""
Owns the faults that were written from what goes wrong with backups in practice, without a look at the checks.
"""

from __future__ import annotations

from playbook.proof.sabotage import Sabotage
from playbook.recovery.fault import LOGICAL, PHYSICAL, ROWS, fault

__all__ = ["BLIND"]

BLIND: tuple[Sabotage, ...] = (
    fault(
        "table-left-out",
        "The largest table is dumped without its rows, to save time",
        "the whole database",
        "--exclude-table-data",
        ROWS,
        blind=True,
    ),
    fault(
        "globals-of-before",
        "The globals are of before the last role was made",
        "globals",
        "older file restored",
        {"restore.roles.equal": LOGICAL},
        blind=True,
    ),
    fault(
        "restore-ended-after-data",
        "The restore ends when the rows are there: no index, key or policy",
        "restore script",
        "post-data left out",
        dict.fromkeys(
            ("restore.schema.equal", "restore.grants.equal", "restore.policies.equal", "restore.isolation.kept"),
            LOGICAL,
        ),
        blind=True,
    ),
    fault(
        "left-in-recovery",
        "The service is switched over to a server that was never promoted, and may only be read",
        "promotion",
        "left out",
        dict.fromkeys(("restore.service.green", "restore.rto.met", "restore.isolation.kept"), PHYSICAL),
        profile="standard",
        blind=True,
    ),
)
