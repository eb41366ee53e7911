"""
Owns statement.dsse.json: the statement in a DSSE envelope, for programs that read attestations.
"""

from __future__ import annotations

import copy

from pydantic import JsonValue
from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import UnverifiedSignatureError
from securesystemslib.signer import CryptoSigner, SSlibKey  # type: ignore[attr-defined]  # exported without saying so

from playbook.errors import EvidenceError
from playbook.evidence.canonical import pretty, read_json
from playbook.evidence.keys import Key
from playbook.evidence.public_key import PublicKey

__all__ = ["PAYLOAD_TYPE", "SignedEnvelope", "read_envelope", "sign_envelope"]

PAYLOAD_TYPE = "application/vnd.in-toto+json"
LARGEST = 64 * 1024 * 1024


class SignedEnvelope:
    """
    An envelope as read; `payload` is what its signatures are over.
    """

    def __init__(self, envelope: Envelope) -> None:
        self._envelope = envelope

    @property
    def payload(self) -> bytes:
        return bytes(self._envelope.payload)

    @property
    def key_ids(self) -> tuple[str, ...]:
        """
        Whose signatures it holds: fingerprints of OpenSSH.
        """
        return tuple(self._envelope.signatures)

    def covers(self, key: PublicKey) -> bool:
        """
        Say whether it holds a sound signature of this key. Read-only.
        """
        signature = self._envelope.signatures.get(key.fingerprint)
        if signature is None:
            return False
        try:
            _library_key(key).verify_signature(signature, self._envelope.pae())
        except UnverifiedSignatureError:
            return False
        return True


def sign_envelope(payload: bytes, key: Key, *, before: bytes | None = None) -> bytes:
    """
    Make an envelope, or add a signature to the one that was there `before`.

    Raises EvidenceError when that one does not read, or is over another payload (`dsse-payload`).
    """
    envelope = read_envelope(before)._envelope if before else Envelope(payload, PAYLOAD_TYPE, {})  # noqa: SLF001 (our class)
    if envelope.payload != payload:
        raise _refused("is over another statement", "dsse-payload")
    envelope.sign(CryptoSigner(key.private, public_key=_library_key(key.public)))
    value: JsonValue = envelope.to_dict()
    return pretty(value)


def read_envelope(data: bytes) -> SignedEnvelope:
    """
    Read an envelope strictly. Read-only; it does not verify.

    Raises EvidenceError: the codes of `read_json`, `dsse-size`, `dsse-form`, `dsse-type`.
    """
    if len(data) > LARGEST:
        raise _refused(f"has {len(data)} bytes; none of ours is that large", "dsse-size")
    value = read_json(data, source="statement.dsse.json")
    if not isinstance(value, dict):
        raise _refused("is no DSSE envelope: not an object", "dsse-form")
    try:
        # from_dict turns the base64 of the dictionary that it is given into hex.
        envelope = Envelope.from_dict(copy.deepcopy(value))
        again: JsonValue = envelope.to_dict()
    except (KeyError, TypeError, ValueError, AttributeError) as err:
        raise _refused(f"is no DSSE envelope: {type(err).__name__}: {err}", "dsse-form") from err
    if pretty(again) != data:
        raise _refused("is not in the form that was written", "dsse-form")
    if envelope.payload_type != PAYLOAD_TYPE:
        raise _refused(f"holds a payload of type {envelope.payload_type!r}", "dsse-type")
    return SignedEnvelope(envelope)


def _library_key(key: PublicKey) -> SSlibKey:
    return SSlibKey(keyid=key.fingerprint, keytype="ed25519", scheme="ed25519", keyval={"public": key.raw.hex()})


def _refused(problem: str, code: str) -> EvidenceError:
    return EvidenceError(problem, hint="Sign anew: playbook countersign RUN.", code=code)
