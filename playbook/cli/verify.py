"""
Owns the commands that decide whether a run can be believed: verify and countersign.
"""

from __future__ import annotations

from pathlib import Path

import click
from pydantic import JsonValue
from rich.console import Console

from playbook.cli.reply import Reply, answering
from playbook.cli.runs import evidence_option, find_run
from playbook.cli.trust import find_allowed, own_keys, signers_option, signing_key
from playbook.errors import EvidenceError, InputError
from playbook.evidence.outcome import Exit
from playbook.evidence.sign import sign_run
from playbook.evidence.verify import Demands, Verification
from playbook.evidence.verify import verify as verify_run

__all__ = ["commands"]


@click.command()
@click.argument("ref", metavar="RUN", default="latest")
@click.option("--require-index", is_flag=True, help="Fail when the run does not stand in INDEX.jsonl.")
@click.option("--require-signature", is_flag=True, help="Fail unless an allowed signer signed: --threshold 1.")
@click.option("--threshold", type=click.IntRange(min=1), help="How many allowed signers must have signed.")
@signers_option
@click.option("--anchor", metavar="HEAD", help="A head of INDEX.jsonl published elsewhere: it must have held this run.")
@evidence_option
@answering
def verify(  # noqa: PLR0917 (click gives them by name)
    ref: str,
    require_index: bool,  # noqa: FBT001 (click gives it by name)
    require_signature: bool,  # noqa: FBT001 (click gives it by name)
    threshold: int | None,
    allowed_signers: Path | None,
    anchor: str | None,
    evidence: Path | None,
) -> Reply:
    """
    Recompute a run's evidence: chain, outcomes, run.json, manifest, index, signatures. Read-only.

    RUN is a folder, a run id, or `latest`. Exits 4 when anything does not agree.

    \b
    Examples:
      playbook verify latest
      playbook verify data/evidence/20260102T030405Z-reference-1a2b3c --require-index
      playbook verify latest --threshold 2 --allowed-signers team.signers
    """
    if anchor is not None and not (len(anchor) == 64 and set(anchor) <= set("0123456789abcdef")):  # noqa: PLR2004 (sha256)
        raise InputError(f"--anchor {anchor!r} is no head", hint="`playbook history` shows it: 64 hex digits.")
    folder = find_run(ref, evidence)
    signers = threshold or int(require_signature)
    demands = Demands(require_index, signers, find_allowed(allowed_signers), anchor, own_keys())
    found = verify_run(folder.path, demands=demands)

    def show(console: Console) -> None:
        for finding in found.findings:
            console.print(f"✖ {finding.file}: {finding.message} ({finding.code})", markup=False)
        console.print(found.sentence, markup=False)

    return Reply(
        show=show,
        outcome="pass" if found.ok else "error",
        exit_code=Exit.OK if found.ok else Exit.NO_EVIDENCE,
        data={"run": folder.run_id, "path": str(folder.path), **_document(found)},
    )


@click.command()
@click.argument("ref", metavar="RUN")
@click.option("--key", help="Name or path of the key; else PLAYBOOK_KEY, else runner.")
@evidence_option
@answering
def countersign(ref: str, key: str | None, evidence: Path | None) -> Reply:
    """
    Sign a sealed run as somebody else: verifies it first, and adds your signature to those that are there.

    Whoever countersigns vouches for having looked at the run, not for having run it.

    \b
    Example:
      playbook countersign latest --key ada
    """
    folder = find_run(ref, evidence)
    found = verify_run(folder.path)
    if not found.ok:
        raise EvidenceError(found.sentence, hint="Do not sign it; take a copy that verifies.", code="not-verified")
    loaded = signing_key(key)
    if loaded is None:
        raise InputError("there is no key to sign with", hint="Make one: playbook keys new NAME.")
    path = sign_run(folder, loaded)
    text = (
        f"{loaded.name} ({loaded.public.fingerprint}) signed {folder.run_id}, whose outcome is {found.outcome}: {path}"
    )
    return Reply(
        show=lambda console: console.print(text, markup=False),
        data={"run": folder.run_id, "path": str(path), "signer": loaded.name, "key": loaded.public.fingerprint},
    )


def _document(found: Verification) -> dict[str, JsonValue]:
    return {
        "run_outcome": found.outcome,
        "sentence": found.sentence,
        "findings": [{"file": f.file, "code": f.code, "message": f.message} for f in found.findings],
        "manifest": found.manifest,
        "indexed": found.indexed,
        "index_head": found.index_head,
        "signatures": [
            {"signer": one.name, "key": one.key.fingerprint, "forms": [*one.forms]} for one in found.signatures
        ],
    }


commands = {"verify": verify, "countersign": countersign}
