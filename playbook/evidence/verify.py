"""
Owns `verify`: recomputing everything that a sealed run claims, and saying what that does and does not guarantee.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from playbook.errors import EvidenceError
from playbook.evidence.audit import Finding, audit_events, audit_record
from playbook.evidence.folder import RunFolder
from playbook.evidence.index import INDEX_NAME, read_index
from playbook.evidence.manifest import Manifest, media_type, read_manifest
from playbook.evidence.outcome import Outcome
from playbook.evidence.tree import LATE, digest_file, walk

__all__ = ["Finding", "Verification", "verify"]


@dataclass(frozen=True, slots=True)
class Verification:
    """
    What verifying a run came to.

    `outcome` is the run's own, recomputed; null when that was not possible. `manifest` is its digest, by which a
    person can compare two copies. `indexed` is null where there is no index. `sentence` is for people.
    """

    ok: bool
    findings: tuple[Finding, ...]
    sentence: str
    run_id: str | None = None
    outcome: Outcome | None = None
    manifest: str | None = None
    indexed: bool | None = None


def verify(folder: Path, *, home: Path | None = None, require_index: bool = False) -> Verification:
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
    digests = {path: digest_file(folder / path) for path in tree.files if not LATE.fullmatch(path)}
    manifest, digest = None, None
    try:
        manifest, digest = read_manifest(folder / "manifest.json")
    except (EvidenceError, OSError) as err:
        code = err.code if isinstance(err, EvidenceError) else "manifest-unreadable"
        findings.append(Finding("manifest.json", code, getattr(err, "message", str(err))))
    hashes = {path: found.sha256 for path, found in digests.items()}
    if manifest:
        findings += _against_manifest(manifest, hashes, {path: found.size for path, found in digests.items()})
    record = None
    if "events.jsonl" in digests:
        _, record = audit_events(folder, hashes, findings)
    if record and manifest and record.run_id != manifest.run_id:
        text = f"is of run {manifest.run_id}, the events are of {record.run_id}"
        findings.append(Finding("manifest.json", "run-id-differs", text))
    if record and "run.json" in digests:
        audit_record(folder, record, findings)
    run_id = manifest.run_id if manifest else None
    indexed = _against_index(home or folder.parent, run_id, digest, findings, required=require_index)
    return Verification(
        ok=not findings,
        findings=tuple(findings),
        sentence=_sentence(findings, run_id, indexed=indexed),
        run_id=run_id,
        outcome=record.outcome if record else None,
        manifest=digest,
        indexed=indexed,
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


def _against_index(
    home: Path, run_id: str | None, digest: str | None, findings: list[Finding], *, required: bool
) -> bool | None:
    there = (home / INDEX_NAME).exists()
    try:
        index = read_index(home)
    except EvidenceError as err:
        findings.append(Finding(INDEX_NAME, err.code, err.message))
        return None
    if index.tail:
        findings.append(Finding(INDEX_NAME, "index-truncated", "ends with a line that is not whole"))
    line = index.line_of(run_id) if run_id else None
    if line is None:
        if required:
            what = f"does not know run {run_id}" if there else f"is not in {home}"
            findings.append(Finding(INDEX_NAME, "index-missing", what))
        return False if there else None
    if digest is not None and line.manifest != digest:
        findings.append(Finding(INDEX_NAME, "index-digest", f"knows run {run_id} with another manifest"))
    return True


def _sentence(findings: list[Finding], run_id: str | None, *, indexed: bool | None) -> str:
    if findings:
        first = findings[0]
        more = f" ({len(findings) - 1} more)" if len(findings) > 1 else ""
        return f"Run {run_id or 'of unknown name'} does not verify: {first.file} {first.message}{more}."
    index = {
        True: "its line stands in the index",
        False: "the index beside it does not know it",
        None: "there is no index beside it",
    }[indexed]
    return (
        f"Run {run_id} verifies: files, manifest, chain and every outcome agree, and {index}. "
        "It is not signed: anyone who can write here could have made it."
    )
