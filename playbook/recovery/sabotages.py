"""
Owns the faults of phase 70: each a mutation of our procedure, with the checks that must see it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from playbook.proof.sabotage import WHOLE, ProcedureFault, Sabotage

__all__ = ["SABOTAGES"]

_LOGICAL = ("logical",)
_PHYSICAL = ("physical",)
_ROWS = {"restore.rows.equal": _LOGICAL}
_COMPLETED = {"restore.completed": _LOGICAL}
_SCHEMA = {"restore.schema.equal": _LOGICAL}
_EARLIER = ("restore.canary.present", "restore.point.exact", "restore.rows.equal")


def _fault(
    name: str,
    title: str,
    protection: str,
    mechanism: str,
    kills: Mapping[str, tuple[str, ...]],
    *,
    profile: Literal["quick", "standard"] = "quick",
    blind: bool = False,
) -> Sabotage:
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


PIPE = (
    _fault(
        "dump-piped",
        "The dump goes into gzip by a pipe that does not look how it ended",
        "exit code of the backup",
        "pipe without pipefail",
        {**_COMPLETED, "backup.failure.told": WHOLE},
    ),
    _fault(
        "globals-missing",
        "No globals are dumped",
        "globals",
        "left out",
        _COMPLETED,
        profile="standard",
    ),
    _fault(
        "globals-missing-errors-ignored",
        "No globals are dumped, and the restore goes on past errors",
        "globals",
        "left out, errors swallowed",
        dict.fromkeys(
            (
                "restore.roles.equal",
                "restore.database.equal",
                "restore.grants.equal",
                "restore.policies.equal",
                "restore.schema.equal",
                "restore.isolation.kept",
            ),
            _LOGICAL,
        ),
    ),
    _fault(
        "globals-without-passwords",
        "The globals are dumped without passwords",
        "globals",
        "without passwords",
        dict.fromkeys(("restore.roles.equal", "restore.isolation.kept"), _LOGICAL),
        profile="standard",
    ),
)

CONTENT = (
    _fault(
        "dump-truncated",
        "The end of the dump is missing, and the server is lost",
        "content of the dump",
        "truncated",
        {
            **dict.fromkeys(("restore.completed", "restore.service.green", "restore.rto.met"), _LOGICAL),
            "restore.rpo.met": WHOLE,
        },
    ),
    _fault("dump-byte-flipped", "One byte of the dump is another", "content of the dump", "byte flipped", _ROWS),
    _fault(
        "dump-under-rls",
        "The backup's role no longer bypasses row security, and dumps what it sees",
        "the backup sees all rows",
        "role under row security",
        _ROWS,
    ),
    _fault(
        "dump-of-one-tenant",
        "The backup's session is bound to one tenant, and dumps that",
        "the backup sees all rows",
        "session bound to a tenant",
        _ROWS,
    ),
    _fault(
        "dump-stale",
        "The dump of before is restored",
        "age of the dump",
        "older file restored",
        dict.fromkeys(_EARLIER, _LOGICAL),
    ),
    _fault(
        "dump-without-policies",
        "Policies are left out of the dump",
        "policies",
        "--no-policies",
        dict.fromkeys(("restore.policies.equal", "restore.isolation.kept"), _LOGICAL),
    ),
    _fault(
        "dump-without-privileges",
        "Grants are left out of the dump, and the restore goes on past errors",
        "grants",
        "--no-privileges",
        dict.fromkeys(
            (
                "restore.grants.equal",
                "restore.database.equal",
                "restore.isolation.kept",
                "restore.schema.equal",
                "restore.service.green",
                "restore.rto.met",
            ),
            _LOGICAL,
        ),
        profile="standard",
    ),
    _fault(
        "dump-without-owners",
        "The restore gives everything to whoever restores",
        "ownership",
        "--no-owner",
        dict.fromkeys(("restore.schema.equal", "restore.grants.equal", "restore.database.equal"), _LOGICAL),
        profile="standard",
    ),
    _fault(
        "dump-of-named-schemas",
        "Schemas are dumped by name, all of them, and the restore goes on past errors",
        "the whole database",
        "--schema",
        {**_SCHEMA, "restore.grants.equal": _LOGICAL},
    ),
    _fault(
        "dump-without-large-objects",
        "Large objects are left out of the dump",
        "large objects",
        "--no-large-objects",
        _SCHEMA,
        profile="standard",
    ),
    _fault(
        "sequences-not-set",
        "Where sequences stand is left out of the dump",
        "sequences",
        "their data left out",
        {"restore.sequences.ahead": _LOGICAL},
    ),
)

RESTORE = (
    _fault(
        "database-not-created-from-dump",
        "The database is made by hand instead of by the dump",
        "the database's own properties",
        "restored without --create",
        {"restore.database.equal": _LOGICAL},
    ),
    _fault("restored-twice", "The data is restored twice", "restore script", "run twice", _ROWS),
)

ARCHIVE = (
    _fault(
        "dumps-only",
        "There is a dump a night, and no archive",
        "time between two backups",
        "no archive of the log",
        {"restore.rpo.met": WHOLE, "backup.archive.complete": WHOLE},
    ),
    _fault(
        "archive-command-true",
        "archive_command is /bin/true",
        "archive of the log",
        "command stores nothing",
        {"backup.archive.complete": WHOLE, "restore.completed": _PHYSICAL},
    ),
    _fault(
        "segment-missing",
        "One segment of the archive is gone",
        "archive of the log",
        "hole",
        {"backup.archive.complete": WHOLE, "restore.completed": _PHYSICAL},
        profile="standard",
    ),
    _fault(
        "restore-command-broken",
        "restore_command finds nothing, and the base's own log makes up for it",
        "replay of the archive",
        "broken restore_command, base's log kept",
        dict.fromkeys(_EARLIER, _PHYSICAL),
    ),
    _fault(
        "target-before-base",
        "The recovery target is a time before the base backup",
        "recovery target",
        "time before the base",
        dict.fromkeys(_EARLIER, _PHYSICAL),
    ),
    _fault(
        "signal-forgotten",
        "recovery.signal is forgotten",
        "replay of the archive",
        "no recovery.signal",
        dict.fromkeys(_EARLIER, _PHYSICAL),
    ),
)

BLIND = (
    _fault(
        "table-left-out",
        "The largest table is dumped without its rows, to save time",
        "the whole database",
        "--exclude-table-data",
        _ROWS,
        blind=True,
    ),
    _fault(
        "globals-of-before",
        "The globals are of before the last role was made",
        "globals",
        "older file restored",
        {"restore.roles.equal": _LOGICAL},
        blind=True,
    ),
    _fault(
        "restore-ended-after-data",
        "The restore ends when the rows are there: no index, key or policy",
        "restore script",
        "post-data left out",
        dict.fromkeys(
            ("restore.schema.equal", "restore.grants.equal", "restore.policies.equal", "restore.isolation.kept"),
            _LOGICAL,
        ),
        blind=True,
    ),
    _fault(
        "left-in-recovery",
        "The service is switched over to a server that was never promoted, and may only be read",
        "promotion",
        "left out",
        dict.fromkeys(("restore.service.green", "restore.rto.met", "restore.isolation.kept"), _PHYSICAL),
        profile="standard",
        blind=True,
    ),
)

HARMLESS = (
    _fault("dump-compressed-otherwise", "The dump is compressed less", "compression", "level 1", {}),
    _fault("rows-as-inserts", "Rows are dumped as INSERT statements", "form of the dump", "--inserts", {}),
)

SABOTAGES: tuple[Sabotage, ...] = (*PIPE, *CONTENT, *RESTORE, *ARCHIVE, *BLIND, *HARMLESS)
