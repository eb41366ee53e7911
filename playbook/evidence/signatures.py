"""
Owns checking the signatures of a run for `verify`: each must be sound, and over the statement that follows from it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

from playbook.errors import EvidenceError
from playbook.evidence.audit import Finding
from playbook.evidence.canonical import pretty, read_json
from playbook.evidence.dsse import read_envelope
from playbook.evidence.public_key import PublicKey
from playbook.evidence.signers import AllowedSigners
from playbook.evidence.sshsig import LARGEST, read_ssh_signature
from playbook.evidence.statement import PREDICATE_TYPE, STATEMENT_TYPE
from playbook.evidence.versions import as_old_as, judge_version

__all__ = ["Form", "Signature", "audit_signatures", "demand_signers"]

Form = Literal["dsse", "ssh"]
LARGEST_STATEMENT = 48 * 1024 * 1024
STATEMENT, ENVELOPE = "statement.json", "statement.dsse.json"


@dataclass(frozen=True, slots=True)
class Signature:
    """
    A key that signed the run soundly, in which forms, and whose it is; `name` is null when nobody vouches for it.
    """

    key: PublicKey
    forms: tuple[Form, ...]
    name: str | None


def audit_signatures(
    folder: Path,
    paths: Sequence[str],
    findings: list[Finding],
    *,
    statement: bytes | None,
    allowed: AllowedSigners | None,
    at: datetime | None,
) -> tuple[Signature, ...]:
    """
    Check what came after the manifest; `paths` are the folder's files. Read-only.

    `statement` is what the run amounts to, null when that could not be computed; `at` is the run's end, at which a
    signer has to be allowed.
    """
    detached = [path for path in paths if path.startswith("signatures/")]
    if STATEMENT not in paths:
        findings += [
            Finding(path, "statement-missing", "signs a statement.json, which is not there")
            for path in (ENVELOPE, *detached)
            if path in paths
        ]
        return ()
    message = _read(folder / STATEMENT, LARGEST_STATEMENT, "statement-size", findings)
    if message is None:
        return ()
    findings += _against_run(message, statement)
    forms: dict[PublicKey, list[Form]] = {}
    for path in detached:
        key = _detached(folder, path, message, findings)
        if key is not None:
            if key in forms:
                findings.append(Finding(path, "signature-twice", f"is a second one of the key {key.fingerprint}"))
            forms[key] = ["ssh"]
    known = {signer.key for signer in allowed.signers} if allowed else set()
    if ENVELOPE in paths:
        for key in _enveloped(folder, message, known | forms.keys(), findings):
            forms.setdefault(key, []).append("dsse")
    return tuple(
        Signature(key, tuple(sorted(forms[key])), allowed.name_of(key, at=at) if allowed and at else None)
        for key in sorted(forms, key=lambda key: key.fingerprint)
    )


def demand_signers(
    signatures: Iterable[Signature], threshold: int, allowed: AllowedSigners | None
) -> Iterator[Finding]:
    """
    Say what is missing when a number of signers is demanded. Several keys of one signer count once.
    """
    signatures = tuple(signatures)
    names = sorted({one.name for one in signatures if one.name})
    if len(names) >= threshold:
        return
    strangers = [one.key.fingerprint for one in signatures if one.name is None]
    if not signatures:
        yield Finding(ENVELOPE, "signature-missing", "is demanded, but nobody signed the run")
    elif not names:
        where = f"{allowed.source} does not name" if allowed else "no file of allowed signers names"
        yield Finding(ENVELOPE, "signature-untrusted", f"is of {', '.join(strangers)}, whom {where}")
    else:
        text = f"has {len(names)} of {threshold} signers: {', '.join(names)}"
        more = f"; nobody vouches for {', '.join(strangers)}" if strangers else ""
        yield Finding(ENVELOPE, "signature-threshold", text + more)


def _against_run(message: bytes, statement: bytes | None) -> Iterator[Finding]:
    if message == statement:
        return
    try:
        value = read_json(message, source=STATEMENT)
    except EvidenceError as err:
        yield Finding.of(STATEMENT, err)
        return
    if not isinstance(value, dict) or value.get("_type") != STATEMENT_TYPE:
        yield Finding(STATEMENT, "statement-type", f"is no in-toto statement of type {STATEMENT_TYPE}")
        return
    judged = judge_version(value.get("predicateType"), PREDICATE_TYPE)
    if judged:
        yield Finding(STATEMENT, f"statement-{judged[0]}", judged[1])
    elif statement is not None:
        expected = as_old_as(value, read_json(statement, source=STATEMENT))
        assert isinstance(expected, dict)
        if pretty(expected) == message:
            return
        changed = sorted(name for name in {*value, *expected} if value.get(name) != expected.get(name))
        what = f"{', '.join(changed)} differ" if changed else "not in the form that was written"
        yield Finding(STATEMENT, "statement-differs", f"does not follow from this run: {what}")


def _detached(folder: Path, path: str, message: bytes, findings: list[Finding]) -> PublicKey | None:
    if not path.endswith(".sig"):
        findings.append(Finding(path, "signature-name", "is no detached signature: its name does not end with .sig"))
        return None
    data = _read(folder / path, LARGEST, "ssh-form", findings)
    if data is None:
        return None
    try:
        signature = read_ssh_signature(data)
    except EvidenceError as err:
        findings.append(Finding.of(path, err))
        return None
    if not signature.covers(message):
        text = f"of {signature.key.fingerprint} is not over this statement.json"
        findings.append(Finding(path, "ssh-signature", text))
        return None
    return signature.key


def _enveloped(
    folder: Path, message: bytes, known: Iterable[PublicKey], findings: list[Finding]
) -> Iterator[PublicKey]:
    data = _read(folder / ENVELOPE, LARGEST_STATEMENT * 2, "dsse-size", findings)
    if data is None:
        return
    try:
        envelope = read_envelope(data)
    except EvidenceError as err:
        findings.append(Finding.of(ENVELOPE, err))
        return
    if envelope.payload != message:
        findings.append(Finding(ENVELOPE, "dsse-payload", "holds another statement than statement.json"))
        return
    if not envelope.key_ids:
        findings.append(Finding(ENVELOPE, "dsse-unsigned", "holds no signature"))
    keys = {key.fingerprint: key for key in known}
    for name in envelope.key_ids:
        key = keys.get(name)
        if key is None:
            text = f"has a signature of {name[:80]!r}, whose key is nowhere: give --allowed-signers"
            findings.append(Finding(ENVELOPE, "dsse-key-unknown", text))
        elif envelope.covers(key):
            yield key
        else:
            findings.append(Finding(ENVELOPE, "dsse-signature", f"has a signature of {name} that is not over it"))


def _read(path: Path, limit: int, code: str, findings: list[Finding]) -> bytes | None:
    size = path.stat(follow_symlinks=False).st_size
    if size > limit:
        findings.append(Finding(path.name, code, f"has {size} bytes; none of ours is that large"))
        return None
    return path.read_bytes()
