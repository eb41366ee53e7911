"""
Owns the faults of phase 70: each a mutation of our procedure, with the checks that must see it.
"""

from __future__ import annotations

from playbook.proof.sabotage import WHOLE, Sabotage
from playbook.recovery.archive_faults import ARCHIVE
from playbook.recovery.blind import BLIND
from playbook.recovery.fault import COMPLETED, EARLIER, LOGICAL, ROWS, SCHEMA, fault

__all__ = ["SABOTAGES"]

PIPE = (
    fault(
        "dump-piped",
        "The dump goes into gzip by a pipe that does not look how it ended",
        "exit code of the backup",
        "pipe without pipefail",
        {**COMPLETED, "backup.failure.told": WHOLE},
    ),
    fault(
        "globals-missing",
        "No globals are dumped",
        "globals",
        "left out",
        COMPLETED,
        profile="standard",
    ),
    fault(
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
            LOGICAL,
        ),
    ),
    fault(
        "globals-without-passwords",
        "The globals are dumped without passwords",
        "globals",
        "without passwords",
        dict.fromkeys(("restore.roles.equal", "restore.isolation.kept"), LOGICAL),
        profile="standard",
    ),
)

CONTENT = (
    fault(
        "dump-truncated",
        "The end of the dump is missing, and the server is lost",
        "content of the dump",
        "truncated",
        {
            **dict.fromkeys(("restore.completed", "restore.service.green", "restore.rto.met"), LOGICAL),
            "restore.rpo.met": WHOLE,
        },
    ),
    fault("dump-byte-flipped", "One byte of the dump is another", "content of the dump", "byte flipped", ROWS),
    fault(
        "dump-under-rls",
        "The backup's role no longer bypasses row security, and dumps what it sees",
        "the backup sees all rows",
        "role under row security",
        ROWS,
    ),
    fault(
        "dump-of-one-tenant",
        "The backup's session is bound to one tenant, and dumps that",
        "the backup sees all rows",
        "session bound to a tenant",
        ROWS,
    ),
    fault(
        "dump-stale",
        "The dump of before is restored",
        "age of the dump",
        "older file restored",
        dict.fromkeys(EARLIER, LOGICAL),
    ),
    fault(
        "restored-without-policies",
        "Policies are left out of the restore's list",
        "policies",
        "--use-list",
        dict.fromkeys(("restore.policies.equal", "restore.isolation.kept"), LOGICAL),
    ),
    fault(
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
            LOGICAL,
        ),
        profile="standard",
    ),
    fault(
        "dump-without-owners",
        "The restore gives everything to whoever restores",
        "ownership",
        "--no-owner",
        dict.fromkeys(("restore.schema.equal", "restore.grants.equal", "restore.database.equal"), LOGICAL),
        profile="standard",
    ),
    fault(
        "dump-of-named-schemas",
        "Schemas are dumped by name, all of them, and the restore goes on past errors",
        "the whole database",
        "--schema",
        {**SCHEMA, "restore.grants.equal": LOGICAL},
        profile="standard",
    ),
    fault(
        "dump-without-large-objects",
        "Large objects are left out of the dump",
        "large objects",
        "--no-large-objects",
        SCHEMA,
        profile="standard",
    ),
    fault(
        "sequences-not-set",
        "Where sequences stand is left out of the dump",
        "sequences",
        "their data left out",
        {"restore.sequences.ahead": LOGICAL},
    ),
)

RESTORE = (
    fault(
        "database-not-created-from-dump",
        "The database is made by hand instead of by the dump",
        "the database's own properties",
        "restored without --create",
        {"restore.database.equal": LOGICAL},
    ),
    fault("restored-twice", "The data is restored twice", "restore script", "run twice", ROWS, profile="standard"),
)

HARMLESS = (
    fault("dump-compressed-otherwise", "The dump is compressed less", "compression", "level 1", {}),
    fault(
        "rows-as-inserts",
        "Rows are dumped as INSERT statements",
        "form of the dump",
        "--inserts",
        {},
        profile="standard",
    ),
)

SABOTAGES: tuple[Sabotage, ...] = (*PIPE, *CONTENT, *RESTORE, *ARCHIVE, *BLIND, *HARMLESS)
