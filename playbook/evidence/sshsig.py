"""
Owns OpenSSH's detached signatures (PROTOCOL.sshsig): made and read here, so that `ssh-keygen` is not needed but fits.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import textwrap
from collections.abc import Callable
from dataclasses import dataclass

from playbook.errors import EvidenceError
from playbook.evidence.public_key import KEY_TYPE, PublicKey, pack, unpack

__all__ = ["NAMESPACE", "SshSignature", "make_ssh_signature", "read_ssh_signature"]

NAMESPACE = "hardening-playbook"
LARGEST = 16 * 1024
_MAGIC = b"SSHSIG"
_BEGIN, _END = "-----BEGIN SSH SIGNATURE-----", "-----END SSH SIGNATURE-----"
_LINE = 70
_VERSION = (1).to_bytes(4, "big")
_HASHES: dict[str, Callable[[bytes], bytes]] = {
    "sha256": lambda data: hashlib.sha256(data).digest(),
    "sha512": lambda data: hashlib.sha512(data).digest(),
}


@dataclass(frozen=True, slots=True)
class SshSignature:
    """
    A signature as read: it carries the public key, but that says nothing of whose it is.
    """

    key: PublicKey
    namespace: str
    hash_name: str
    signature: bytes

    def covers(self, message: bytes) -> bool:
        """
        Say whether it is a sound signature over the message. Read-only.
        """
        return self.key.accepts(self.signature, _signed(message, self.namespace, self.hash_name))


def make_ssh_signature(message: bytes, *, key: PublicKey, sign: Callable[[bytes], bytes]) -> bytes:
    """
    Sign a message as `ssh-keygen -Y sign -n hardening-playbook` does, byte for byte.
    """
    signature = pack(KEY_TYPE.encode()) + pack(sign(_signed(message, NAMESPACE, "sha512")))
    return _armour(
        _MAGIC + _VERSION + pack(key.blob) + pack(NAMESPACE.encode()) + pack(b"") + pack(b"sha512") + pack(signature)
    )


def read_ssh_signature(data: bytes) -> SshSignature:
    """
    Read a detached signature strictly. Read-only; it does not verify.

    Raises EvidenceError: `ssh-form` (not the form that ssh-keygen writes), `ssh-namespace`, `ssh-hash`, `key-type`.
    """
    blob = _unarmour(data)
    if not blob.startswith(_MAGIC + _VERSION):
        raise _refused("is of another version of the format", "ssh-form")
    try:
        public, rest = unpack(blob[len(_MAGIC) + len(_VERSION) :])
        namespace, rest = unpack(rest)
        _reserved, rest = unpack(rest)
        hashed, rest = unpack(rest)
        wrapped, rest = unpack(rest)
        key = PublicKey.from_blob(public)
        kind, signed = unpack(wrapped)
        signature, more = unpack(signed)
    except EvidenceError as err:
        raise _refused(f"does not read: {err.message}", "key-type" if err.code == "key-type" else "ssh-form") from err
    if rest or more or kind != KEY_TYPE.encode():
        raise _refused("has another form inside", "ssh-form")
    if namespace != NAMESPACE.encode():
        seen = namespace[:40].decode("ascii", "replace")
        raise _refused(f"was made for {seen!r}, not for {NAMESPACE!r}", "ssh-namespace")
    name = hashed.decode("ascii", "replace")
    if name not in _HASHES:
        raise _refused(f"uses the hash {name[:20]!r}", "ssh-hash")
    return SshSignature(key, NAMESPACE, name, signature)


def _signed(message: bytes, namespace: str, hash_name: str) -> bytes:
    hashed = _HASHES[hash_name](message)
    return _MAGIC + pack(namespace.encode()) + pack(b"") + pack(hash_name.encode()) + pack(hashed)


def _armour(blob: bytes) -> bytes:
    text = "\n".join(textwrap.wrap(base64.b64encode(blob).decode(), _LINE))
    return f"{_BEGIN}\n{text}\n{_END}\n".encode()


def _unarmour(data: bytes) -> bytes:
    if len(data) > LARGEST:
        raise _refused(f"has {len(data)} bytes; no signature is that large", "ssh-form")
    try:
        lines = data.decode("ascii").splitlines()
        blob = base64.b64decode("".join(lines[1:-1]), validate=True)
    except (UnicodeDecodeError, binascii.Error) as err:
        raise _refused("is no OpenSSH signature", "ssh-form") from err
    if _armour(blob) != data:
        raise _refused("is not in the form that ssh-keygen writes", "ssh-form")
    return blob


def _refused(problem: str, code: str) -> EvidenceError:
    return EvidenceError(problem, hint="Sign anew: playbook countersign RUN.", code=code)
