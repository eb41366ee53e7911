"""
Owns the public half of a key: ed25519 only, in the forms of OpenSSH and of DSSE.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from playbook.errors import EvidenceError

__all__ = ["KEY_TYPE", "PublicKey", "pack", "unpack"]

KEY_TYPE = "ssh-ed25519"
_RAW_BYTES = 32
_LENGTH_BYTES = 4


@dataclass(frozen=True, slots=True)
class PublicKey:
    """
    An ed25519 public key, as its 32 bytes.
    """

    raw: bytes

    @classmethod
    def from_blob(cls, blob: bytes) -> PublicKey:
        """
        Read OpenSSH's wire form (RFC 8709 §4).

        Raises EvidenceError: `key-type` for another algorithm, `key-form`.
        """
        kind, rest = unpack(blob)
        if kind != KEY_TYPE.encode():
            raise _refused(f"the key is of type {kind[:40].decode('ascii', 'replace')}; only {KEY_TYPE} is", "key-type")
        raw, rest = unpack(rest)
        if rest or len(raw) != _RAW_BYTES:
            raise _refused("the key has another length", "key-form")
        return cls(raw)

    @property
    def blob(self) -> bytes:
        """
        OpenSSH's wire form.
        """
        return pack(KEY_TYPE.encode()) + pack(self.raw)

    @property
    def fingerprint(self) -> str:
        """
        What `ssh-keygen -l` shows; also the key's id in a DSSE envelope.
        """
        return "SHA256:" + base64.b64encode(hashlib.sha256(self.blob).digest()).decode().rstrip("=")

    @property
    def openssh(self) -> str:
        """
        Type and base64, as in a .pub file and in a file of allowed signers.
        """
        return f"{KEY_TYPE} {base64.b64encode(self.blob).decode()}"

    @property
    def short(self) -> str:
        """
        Eight hex digits, for file names.
        """
        return hashlib.sha256(self.blob).hexdigest()[:8]

    def accepts(self, signature: bytes, data: bytes) -> bool:
        """
        Say whether this key made the signature over the data. Read-only.
        """
        try:
            Ed25519PublicKey.from_public_bytes(self.raw).verify(signature, data)
        except (InvalidSignature, ValueError):
            return False
        return True


def pack(data: bytes) -> bytes:
    """
    Write an SSH string: four bytes of length, then the bytes (RFC 4251 §5).
    """
    return len(data).to_bytes(_LENGTH_BYTES, "big") + data


def unpack(data: bytes) -> tuple[bytes, bytes]:
    """
    Read an SSH string; return it and the rest.

    Raises EvidenceError (`key-form`) when there are fewer bytes than the length says.
    """
    size = int.from_bytes(data[:_LENGTH_BYTES], "big")
    end = _LENGTH_BYTES + size
    if len(data) < max(end, _LENGTH_BYTES):
        raise _refused("the bytes are cut short", "key-form")
    return data[_LENGTH_BYTES:end], data[end:]


def _refused(message: str, code: str) -> EvidenceError:
    return EvidenceError(message, hint="Make one with `playbook keys new`, or `ssh-keygen -t ed25519`.", code=code)
