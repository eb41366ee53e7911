"""
Owns signing a sealed run: the statement, its DSSE envelope and a detached OpenSSH signature, each whole or not there.
"""

from __future__ import annotations

import re
from pathlib import Path

from playbook.errors import EvidenceError
from playbook.evidence.attachments import write_whole
from playbook.evidence.dsse import sign_envelope
from playbook.evidence.folder import RunFolder
from playbook.evidence.keys import Key
from playbook.evidence.manifest import read_manifest
from playbook.evidence.record import RunRecord
from playbook.evidence.run import read_run
from playbook.evidence.sshsig import make_ssh_signature
from playbook.evidence.statement import make_statement, statement_bytes

__all__ = ["sign_run"]

_ODD = re.compile(r"[^A-Za-z0-9._-]")


def sign_run(folder: RunFolder, key: Key, *, record: RunRecord | None = None) -> Path:
    """
    Sign a sealed run; return the detached signature's path. Signing again with the same key changes nothing.

    It signs what lies there, so verify first what another one sealed; `record` is the run's own where it was sealed
    just now, else it is read. Raises EvidenceError: `not-sealed`, those of
    the manifest and the log, `statement-differs` when a statement is there that does not follow from them.
    """
    if not folder.manifest.is_file():
        raise EvidenceError(
            f"run {folder.run_id} is not sealed", hint="Only a sealed run is signed.", code="not-sealed"
        )
    manifest, digest = read_manifest(folder.manifest)
    statement = statement_bytes(make_statement(manifest, digest, record or read_run(folder.path).record))
    path = folder.path / "statement.json"
    if path.exists() and path.read_bytes() != statement:
        raise EvidenceError(
            f"{path} does not follow from the run", hint="Verify the run; do not sign it.", code="statement-differs"
        )
    write_whole(path, statement)
    envelope = folder.path / "statement.dsse.json"
    before = envelope.read_bytes() if envelope.exists() else None
    write_whole(envelope, sign_envelope(statement, key, before=before))
    detached = folder.path / "signatures" / f"{_ODD.sub('-', key.name)}-{key.public.short}.sig"
    write_whole(detached, make_ssh_signature(statement, key=key.public, sign=key.private.sign))
    return detached
