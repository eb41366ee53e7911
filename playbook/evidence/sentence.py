"""
Owns what `verify` says to a person: what is guaranteed, by whom, and what is not.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from playbook.evidence.audit import Finding
from playbook.evidence.signatures import Signature

__all__ = ["Told", "say_refused", "say_verified"]


@dataclass(frozen=True, slots=True)
class Told:
    """
    What the sentence about a run that verifies rests on. `own` are fingerprints of the keys of whoever verifies.
    """

    run_id: str
    indexed: bool | None
    signatures: Sequence[Signature] = ()
    own: Collection[str] = ()
    anchored: bool = False


def say_refused(findings: Sequence[Finding], run_id: str | None) -> str:
    """
    Say why a run does not verify, or that it cannot be judged here.
    """
    name = run_id or "of unknown name"
    future = next((finding for finding in findings if finding.code.endswith("-future")), None)
    if future:
        return f"Run {name} cannot be judged here: {future.file} {future.message}. Verify it with that version."
    first = findings[0]
    more = f" ({len(findings) - 1} more)" if len(findings) > 1 else ""
    return f"Run {name} does not verify: {first.file} {first.message}{more}."


def say_verified(told: Told) -> str:
    """
    Say what a run that verifies guarantees, by whom, and what not.
    """
    index = {
        True: "its line stands in the index",
        False: "the index beside it does not know it",
        None: "there is no index beside it",
    }[told.indexed]
    anchor = ", which held it when the given head was published" if told.anchored else ""
    start = f"Run {told.run_id} verifies: files, manifest, chain and every outcome agree, and {index}{anchor}."
    return f"{start} {_say_signers(told.signatures, told.own)}"


def _say_signers(signatures: Sequence[Signature], own: Collection[str]) -> str:
    if not signatures:
        return "It is not signed: anyone who can write here could have made it."
    named = [one for one in signatures if one.name]
    strangers = [one.key.fingerprint for one in signatures if not one.name]
    if not named:
        return (
            f"It is signed by {_list(strangers)}, a key that no allowed signer has: nobody else changed it since, "
            "but whose key that is, it does not say."
        )
    who = _list([f"{one.name} ({one.key.fingerprint})" for one in named])
    more = f" It is also signed by {_list(strangers)}, for whom nobody vouches." if strangers else ""
    if all(one.key.fingerprint in own for one in named):
        return (
            f"It is signed by {who}, whose key lies on this machine: nobody without that key changed it since, "
            f"but whoever holds the key could have made it.{more}"
        )
    return (
        f"It is signed by {who}: nobody without that key changed it since; that the run was as it says, "
        f"the signer vouches, not we.{more}"
    )


def _list(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
