"""
Owns the faults of the archive of the log and of recovery from it.
"""

from __future__ import annotations

from playbook.proof.sabotage import WHOLE, Sabotage
from playbook.recovery.fault import EARLIER, PHYSICAL, fault

__all__ = ["ARCHIVE"]

ARCHIVE: tuple[Sabotage, ...] = (
    fault(
        "dumps-only",
        "There is a dump a night, and no archive",
        "time between two backups",
        "no archive of the log",
        {"restore.rpo.met": WHOLE, "backup.archive.complete": WHOLE},
    ),
    fault(
        "archive-command-true",
        "archive_command is /bin/true",
        "archive of the log",
        "command stores nothing",
        {"backup.archive.complete": WHOLE, "restore.completed": PHYSICAL},
    ),
    fault(
        "segment-missing",
        "One segment of the archive is gone",
        "archive of the log",
        "hole",
        {"backup.archive.complete": WHOLE, "restore.completed": PHYSICAL},
        profile="standard",
    ),
    fault(
        "restore-command-broken",
        "restore_command finds nothing, and the base's own log makes up for it",
        "replay of the archive",
        "broken restore_command, base's log kept",
        dict.fromkeys(EARLIER, PHYSICAL),
    ),
    fault(
        "target-before-base",
        "The recovery target is a time before the base backup",
        "recovery target",
        "time before the base",
        dict.fromkeys(EARLIER, PHYSICAL),
        profile="standard",
    ),
    fault(
        "signal-forgotten",
        "recovery.signal is forgotten",
        "replay of the archive",
        "no recovery.signal",
        dict.fromkeys(EARLIER, PHYSICAL),
    ),
)
