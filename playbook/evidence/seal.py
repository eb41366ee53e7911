"""
Owns closing a run for good: run.json, its reports, the manifest, the index; each whole or not there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from playbook.errors import EvidenceError
from playbook.evidence.attachments import PARTIAL, write_whole
from playbook.evidence.canonical import pretty
from playbook.evidence.events import Interrupted, RunEnded
from playbook.evidence.folder import RunFolder, list_runs
from playbook.evidence.index import IndexLine, append_index
from playbook.evidence.log import EventLog
from playbook.evidence.manifest import build_manifest, manifest_bytes, read_manifest
from playbook.evidence.redact import Redactor
from playbook.evidence.run import Run, build_run, record_value
from playbook.evidence.settle import settle

__all__ = ["Mended", "Render", "seal", "seal_interrupted"]

Render = Callable[[Run], Mapping[str, bytes]]
"""Makes the files that come from the run, by path: report.html, checks.csv, junit.xml, notebooks/90_report.ipynb."""


@dataclass(frozen=True, slots=True)
class Mended:
    """
    Which runs of dead runners were sealed, and which could not be, with the reason of each.
    """

    sealed: tuple[RunFolder, ...] = ()
    refused: tuple[tuple[RunFolder, EvidenceError], ...] = ()


_RENDERED = re.compile(r"report\.html|checks\.csv|junit\.xml|notebooks/\d\d_[a-z0-9_]+(\.source)?\.ipynb")


def seal(folder: RunFolder, *, log: EventLog, render: Render | None = None) -> IndexLine:
    """
    Seal a run whose last event is its end. `log` is its open log, kept by the caller.

    Sealing a sealed run again only makes sure of its line in the index. When `render` raises, nothing is sealed and
    it can be done again. Raises EvidenceError: `not-ended`, `render-path`, `disk-full`, the codes of the manifest.
    """
    with log.exclusive():
        if not folder.manifest.exists():
            _write_run(folder, log, render)
        manifest, digest = read_manifest(folder.manifest)
        line = append_index(folder.home, run_id=manifest.run_id, manifest=digest)
        _pending(folder).unlink(missing_ok=True)
        return line


def seal_interrupted(home: Path, *, clock: Callable[[], datetime], render: Render | None = None) -> Mended:
    """
    Seal what dead runners left: each becomes `error/interrupted`, or what it had already ended as.

    Runs that live, and open runs by hand, are left alone. A run that cannot be sealed (damaged log, full disk, sealed
    by another command at this moment) is left as it is and told; it does not keep the others from being sealed.
    """
    sealed: list[RunFolder] = []
    refused: list[tuple[RunFolder, EvidenceError]] = []
    for folder in list_runs(home):
        condition = folder.condition()
        unfinished = condition == "sealed" and _pending(folder).exists()
        if not unfinished and condition not in ("interrupted", "ended"):
            continue
        try:
            _seal_dead(folder, clock, render)
        except EvidenceError as err:
            refused.append((folder, err))
        else:
            sealed.append(folder)
    return Mended(tuple(sealed), tuple(refused))


def _seal_dead(folder: RunFolder, clock: Callable[[], datetime], render: Render | None) -> None:
    with EventLog(folder.events, clock=clock, hold=True) as log:
        if not folder.manifest.exists() and not isinstance(log.entries()[-1].event, RunEnded | Interrupted):
            mark = folder.mark.read_text("utf-8", "replace")[:2000] if folder.mark.is_file() else None
            reason = "the supervisor saw the runner die" if mark is not None else "the runner is gone without a word"
            log.append(settle(Interrupted(reason=reason, mark=mark), Redactor()))
        seal(folder, log=log, render=render)


def _write_run(folder: RunFolder, log: EventLog, render: Render | None) -> None:
    entries = log.entries()
    if not entries or not isinstance(entries[-1].event, RunEnded | Interrupted):
        raise EvidenceError(
            f"run {folder.run_id} has not ended", hint="Close it first: playbook close RUN.", code="not-ended"
        )
    record = build_run(entries)
    write_whole(folder.record, pretty(record_value(record)))
    if render is not None:
        for path, content in render(Run(folder.path, record, entries, truncated=False)).items():
            if not _RENDERED.fullmatch(path):
                raise EvidenceError(
                    f"{path!r} is no file that a report writes", hint="This is a defect of ours.", code="render-path"
                )
            write_whole(folder.path / path, content)
    folder.mark.unlink(missing_ok=True)
    for partial in folder.path.rglob(f"{PARTIAL}*"):
        partial.unlink()
    content = manifest_bytes(build_manifest(folder.path, run_id=record.run_id))
    # The sign beside the folder lets the next command finish, should we die between manifest and index.
    write_whole(_pending(folder), b"")
    write_whole(folder.manifest, content)


def _pending(folder: RunFolder) -> Path:
    return folder.home / f".sealing-{folder.run_id}"
