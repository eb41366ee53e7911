"""
Owns reading all runs of an evidence home for the commands about time. Read-only.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from playbook.errors import EvidenceError
from playbook.evidence.folder import RunFolder, list_runs
from playbook.evidence.record import RunRecord
from playbook.evidence.run import read_run
from playbook.evidence.signers import AllowedSigners
from playbook.evidence.verify import Demands, verify
from playbook.report.held import Held, held_of

__all__ = ["read_alike", "read_held", "require_known"]

_MOST_REPEATS = 12


def read_held(home: Path, allowed: AllowedSigners | None) -> list[Held]:
    """
    Verify and read every run, oldest first; those whose log does not read are left out. Read-only.
    """
    return list(_held(home, allowed))


def _held(home: Path, allowed: AllowedSigners | None) -> Iterator[Held]:
    for folder in list_runs(home):
        found = verify(folder.path, demands=Demands(index=True, allowed=allowed))
        refused = None if found.ok else f"it does not verify: {found.findings[0].code}"
        record = found.record or _read(folder)
        if record is not None:
            yield held_of(record, signers=found.signers, refused=refused)


def read_alike(home: Path, record: RunRecord) -> list[RunRecord]:
    """
    Read the last runs before a run that were alike, from which noise is told; only those that verify. Read-only.
    """
    found: list[RunRecord] = []
    for folder in reversed(list_runs(home)):
        if len(found) == _MOST_REPEATS:
            break
        start = folder.start()
        if start is None or start.started >= record.started or start.scenario != record.scenario:
            continue
        one = verify(folder.path)
        if one.ok and one.record is not None and _alike(one.record) == _alike(record):
            found.append(one.record)
    return found


def require_known(checks: Iterable[str], runs: Sequence[Held]) -> None:
    """
    Raise InputError for a check that stands neither in a run nor in this version.
    """
    strange = [name for name in checks if not any(name in run.checks for run in runs)]
    if strange:
        # Imported late: it knows every domain's checks, and most names stand in a run.
        from playbook.run.phases import registry  # noqa: PLC0415

        for name in strange:
            registry().check(name)


def _read(folder: RunFolder) -> RunRecord | None:
    try:
        return read_run(folder.path).record
    except EvidenceError:
        return None


def _alike(record: RunRecord) -> tuple[object, ...]:
    return (
        record.scenario,
        record.target_sha256,
        record.backend,
        record.profile,
        record.runner,
        record.parameters,
        record.outcome in ("pass", "fail"),
        record.fingerprint.platform,
    )
