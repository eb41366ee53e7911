"""
Owns `verify`: recomputing everything that a sealed run claims, and saying what that does and does not guarantee.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from playbook.errors import EvidenceError
from playbook.evidence.audit import Finding, audit_events, audit_record
from playbook.evidence.folder import RUN_ID, RunFolder
from playbook.evidence.index import INDEX_NAME, Index, read_index
from playbook.evidence.manifest import Manifest, media_type, read_manifest
from playbook.evidence.outcome import Outcome
from playbook.evidence.record import RunRecord
from playbook.evidence.sentence import Told, say_refused, say_verified
from playbook.evidence.signatures import Signature, audit_signatures, demand_signers
from playbook.evidence.signers import AllowedSigners
from playbook.evidence.statement import make_statement, statement_bytes
from playbook.evidence.tree import LATE, Digest, digest_file, walk

__all__ = ["Demands", "Finding", "Verification", "verify"]

UNREAD = ""
"""Stands for the digest of a file that was not read, and is no digest of any."""


@dataclass(frozen=True, slots=True)
class Verification:
    """
    What verifying a run came to.

    `outcome` is the run's own, recomputed, and `record` all of it; null when that was not possible. `manifest` is its
    digest, by which a person can compare two copies. `indexed` is null where there is no index.
    """

    ok: bool
    findings: tuple[Finding, ...]
    sentence: str
    run_id: str | None = None
    outcome: Outcome | None = None
    manifest: str | None = None
    indexed: bool | None = None
    signatures: tuple[Signature, ...] = ()
    index_head: str | None = None
    record: RunRecord | None = None

    @property
    def signers(self) -> tuple[str, ...]:
        """
        Who signed, of those for whom the file of allowed signers vouches.
        """
        return tuple(sorted({one.name for one in self.signatures if one.name}))


@dataclass(frozen=True, slots=True)
class Demands:
    """
    What a verifier wants beyond agreement: a line in the index, a number of allowed signers, a published index head.

    `own` are the fingerprints of the verifier's own keys, which only changes the sentence.
    """

    index: bool = False
    signers: int = 0
    allowed: AllowedSigners | None = None
    anchor: str | None = None
    own: frozenset[str] = frozenset()


def verify(folder: Path, *, home: Path | None = None, demands: Demands = Demands()) -> Verification:
    """
    Verify a sealed run against itself and against the index in `home` (else beside it). Read-only.

    Raises nothing for what it finds in the folder; OSError when the folder itself cannot be read.
    """
    unsealed = _unsealed(folder)
    if unsealed:
        return Verification(ok=False, findings=(unsealed,), sentence=unsealed.message)
    findings: list[Finding] = []
    tree = walk(folder)
    findings += [Finding(odd.path, odd.code, odd.message) for odd in tree.odd]
    manifest, digest = None, None
    try:
        manifest, digest = read_manifest(folder / "manifest.json")
    except EvidenceError as err:
        findings.append(Finding.of("manifest.json", err))
    except OSError as err:
        findings.append(Finding("manifest.json", "manifest-unreadable", f"cannot be read: {err.strerror}"))
    digests = _digest(folder, [path for path in tree.files if not LATE.fullmatch(path)], manifest)
    hashes = {path: found.sha256 for path, found in digests.items()}
    if manifest:
        findings += _against_manifest(manifest, hashes, {path: found.size for path, found in digests.items()})
    if manifest and RUN_ID.fullmatch(folder.name) and folder.name != manifest.run_id:
        text = f"is of run {manifest.run_id}, but lies in a folder of another name"
        findings.append(Finding("manifest.json", "folder-name", text))
    record = None
    if "events.jsonl" in digests:
        _, record = audit_events(folder, hashes, findings)
    if record and manifest and record.run_id != manifest.run_id:
        text = f"is of run {manifest.run_id}, the events are of {record.run_id}"
        findings.append(Finding("manifest.json", "run-id-differs", text))
    if record and "run.json" in digests:
        audit_record(folder, record, findings)
    statement = statement_bytes(make_statement(manifest, digest, record)) if manifest and digest and record else None
    signatures = audit_signatures(
        folder,
        tree.files,
        findings,
        statement=statement,
        allowed=demands.allowed,
        at=record.ended if record else None,
    )
    findings += demand_signers(signatures, demands.signers, demands.allowed)
    run_id = manifest.run_id if manifest else None
    index = _read_index(home or folder.parent, findings)
    indexed = _against_index(index, home or folder.parent, run_id, digest, findings, required=demands.index)
    if demands.anchor is not None:
        findings += _against_anchor(index or Index(), demands.anchor, run_id)
    told = Told(run_id or "", indexed, signatures, demands.own, anchored=demands.anchor is not None)
    return Verification(
        ok=not findings,
        findings=tuple(findings),
        sentence=say_refused(findings, run_id) if findings else say_verified(told),
        run_id=run_id,
        outcome=record.outcome if record else None,
        manifest=digest,
        indexed=indexed,
        signatures=signatures,
        index_head=index.head if index and index.lines else None,
        record=record,
    )


def _unsealed(folder: Path) -> Finding | None:
    if not folder.is_dir():
        return Finding(str(folder), "no-folder", f"{folder} is no folder")
    path = folder / "manifest.json"
    if path.exists() or path.is_symlink():
        return None
    told = {
        "live": "The run is still being written; wait for its end.",
        "open": "The run is not sealed: it was made by hand and is open; seal it with `playbook close`.",
        "ended": "The run is not sealed: it ended, but its manifest is missing.",
        "interrupted": "The run is not sealed: its runner died; the next command seals it as interrupted.",
        "empty": "The run is not sealed: nothing was recorded.",
        "damaged": "The run is not sealed, and its log does not read.",
    }
    condition = RunFolder(folder).condition()
    return Finding("manifest.json", f"unsealed-{condition}", told[condition])


def _digest(folder: Path, paths: Sequence[str], manifest: Manifest | None) -> dict[str, Digest]:
    """
    Digest the files that can be what was sealed; a file of another size was changed, however long it takes to read.
    """
    listed = {file.path: file.size for file in manifest.files} if manifest else {}
    missing = {size for path, size in listed.items() if path not in paths}
    found = {}
    for path in paths:
        size = (folder / path).stat(follow_symlinks=False).st_size
        possible = size == listed[path] if path in listed else size in missing
        found[path] = digest_file(folder / path) if possible or manifest is None else Digest(UNREAD, size)
    return found


def _against_manifest(manifest: Manifest, hashes: dict[str, str], sizes: dict[str, int]) -> list[Finding]:
    found = []
    listed = {file.path: file for file in manifest.files}
    by_hash = {hashes[path]: path for path in sorted(hashes) if path not in listed}
    renamed: set[str] = set()
    for path, file in listed.items():
        if path in hashes:
            if sizes[path] != file.size:
                text = f"has {sizes[path]} bytes, was sealed with {file.size}"
                found.append(Finding(path, "file-size", text))
            elif hashes[path] != file.sha256:
                found.append(Finding(path, "file-changed", "is not what was sealed: its sha256 differs"))
            if file.media_type != media_type(path):
                found.append(Finding(path, "media-type", f"is listed as {file.media_type}"))
        elif file.sha256 in by_hash:
            renamed.add(by_hash[file.sha256])
            found.append(Finding(path, "file-renamed", f"lies there as {by_hash[file.sha256]}"))
        else:
            found.append(Finding(path, "file-missing", "was sealed, but is gone"))
    found += [
        Finding(path, "file-extra", "was not there when the run was sealed")
        for path in sorted(hashes)
        if path not in listed and path not in renamed
    ]
    found += [
        Finding(path, "not-listed", "belongs to every run, but was not sealed")
        for path in ("events.jsonl", "run.json")
        if path not in listed
    ]
    return found


def _read_index(home: Path, findings: list[Finding]) -> Index | None:
    try:
        index = read_index(home)
    except EvidenceError as err:
        findings.append(Finding.of(INDEX_NAME, err))
        return None
    if index.tail:
        findings.append(Finding(INDEX_NAME, "index-truncated", "ends with a line that is not whole"))
    return index


def _against_index(
    index: Index | None, home: Path, run_id: str | None, digest: str | None, findings: list[Finding], *, required: bool
) -> bool | None:
    if index is None:
        return None
    there = (home / INDEX_NAME).exists()
    line = index.line_of(run_id) if run_id else None
    if line is None:
        if required:
            what = f"does not know run {run_id}" if there else f"is not in {home}"
            findings.append(Finding(INDEX_NAME, "index-missing", what))
        return False if there else None
    if digest is not None and line.manifest != digest:
        findings.append(Finding(INDEX_NAME, "index-digest", f"knows run {run_id} with another manifest"))
    return True


def _against_anchor(index: Index, anchor: str, run_id: str | None) -> Iterator[Finding]:
    then = index.upto(anchor)
    if then is None:
        text = f"never had the head {anchor[:12]}…: lines were changed, moved or taken out since it was published"
        yield Finding(INDEX_NAME, "anchor-unknown", text)
    elif run_id is None or then.line_of(run_id) is None:
        yield Finding(INDEX_NAME, "anchor-before-run", f"had the head {anchor[:12]}… before it knew run {run_id}")
