"""
Owns the private keys of this user: made, listed and loaded from one folder that nobody else can read.
"""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import platformdirs
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_ssh_private_key,
)

from playbook.errors import InputError, Unavailable
from playbook.evidence.public_key import PublicKey

__all__ = ["RUNNER", "Key", "KeyFile", "configuration_folder", "find_key", "list_keys", "load_key", "make_key"]

RUNNER = "runner"
"""Name of the key that `run` signs with, unless PLAYBOOK_KEY names another."""

_FOLDER_VARIABLE, _KEY_VARIABLE = "PLAYBOOK_CONFIG", "PLAYBOOK_KEY"
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,39}")
_OTHERS = 0o077


@dataclass(frozen=True, slots=True)
class KeyFile:
    """
    A private key as it lies there, unread; its public half lies beside it as `.pub`.
    """

    path: Path

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def public(self) -> PublicKey:
        """
        Read the public half. Raises InputError when it does not read.
        """
        return _public_of(self.path.with_name(self.path.name + ".pub"))

    @property
    def locked(self) -> bool:
        """
        Whether a passphrase is needed.
        """
        text = self.path.read_bytes()
        return b"ENCRYPTED PRIVATE KEY" in text or (b"OPENSSH PRIVATE KEY" in text and _ssh_locked(text))


@dataclass(frozen=True, slots=True)
class Key:
    """
    A key that can sign. It never shows its private half.
    """

    name: str
    public: PublicKey
    private: Ed25519PrivateKey

    def __repr__(self) -> str:
        return f"Key({self.name!r}, {self.public.fingerprint})"


def configuration_folder(environ: Mapping[str, str]) -> Path:
    """
    Say where keys and allowed signers lie: PLAYBOOK_CONFIG, else the user's configuration folder. Read-only.
    """
    named = environ.get(_FOLDER_VARIABLE)
    return Path(named).expanduser() if named else platformdirs.user_config_path("hardening-playbook")


def make_key(
    folder: Path,
    name: str,
    *,
    passphrase: str | None = None,
    generate: Callable[[], Ed25519PrivateKey] = Ed25519PrivateKey.generate,
) -> KeyFile:
    """
    Make an ed25519 key (0600, in a folder 0700); never replaces one.

    Without a passphrase it is in OpenSSH's form, with one in PKCS#8. Raises InputError.
    """
    if not _NAME.fullmatch(name):
        raise InputError(f"{name!r} cannot name a key", hint="Use lower-case letters, digits, dots and dashes.")
    private = generate()
    locked = NoEncryption() if passphrase is None else BestAvailableEncryption(passphrase.encode())
    text = _private_text(private, locked, PrivateFormat.OpenSSH if passphrase is None else PrivateFormat.PKCS8)
    public = PublicKey(private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw))
    path = folder / "keys" / name
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(text)
        path.with_name(f"{name}.pub").write_text(f"{public.openssh} {name}\n", encoding="ascii")
    except FileExistsError as err:
        raise InputError(
            f"there is a key {name!r} already: {path}", hint="Choose another name; none is replaced."
        ) from err
    except OSError as err:
        raise InputError(f"{path} cannot be written: {err.strerror}", hint="Mend the permissions there.") from err
    return KeyFile(path)


def list_keys(folder: Path) -> list[KeyFile]:
    """
    List the keys of this user, by name. Read-only.
    """
    keys = folder / "keys"
    if not keys.is_dir():
        return []
    return [KeyFile(path) for path in sorted(keys.iterdir()) if path.with_name(f"{path.name}.pub").is_file()]


def find_key(folder: Path, environ: Mapping[str, str], *, name: str | None = None) -> KeyFile | None:
    """
    Find the key to sign with: the one named, else PLAYBOOK_KEY (a name or a path), else `runner`. Read-only.

    None when nothing was named and there is no `runner`. Raises InputError when a named one is not there.
    """
    wanted = name or environ.get(_KEY_VARIABLE)
    known = list_keys(folder)
    found = next((key for key in known if key.name == (wanted or RUNNER)), None)
    if found is None and wanted:
        path = Path(wanted).expanduser()
        if "/" in wanted and path.is_file():
            return KeyFile(path)
        names = ", ".join(key.name for key in known) or "none"
        raise InputError(f"there is no key {wanted!r}", hint=f"Known: {names}; make one with `playbook keys new`.")
    return found


def load_key(file: KeyFile, *, passphrase: str | None = None) -> Key:
    """
    Read a private key. Read-only.

    Raises InputError: readable by others, not ed25519, wrong passphrase; Unavailable for a form that needs `bcrypt`.
    """
    if file.path.stat().st_mode & _OTHERS:
        raise InputError(f"{file.path} can be read by others", hint=f"chmod 600 {file.path}; better, make a new one.")
    text = file.path.read_bytes()
    load = load_ssh_private_key if b"OPENSSH PRIVATE KEY" in text else load_pem_private_key
    try:
        private = load(text, passphrase.encode() if passphrase is not None else None)
    except UnsupportedAlgorithm as err:
        raise Unavailable(
            f"{file.path} cannot be opened: {err}", hint="Install `bcrypt`, or sign with ssh-keygen -Y sign."
        ) from err
    except (ValueError, TypeError) as err:
        raise InputError(
            f"{file.path} cannot be opened: {err}", hint="Give its passphrase: PLAYBOOK_KEY_PASSPHRASE."
        ) from err
    if not isinstance(private, Ed25519PrivateKey):
        raise InputError(f"{file.path} is no ed25519 key", hint="Make one with `playbook keys new`.")
    public = PublicKey(private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw))
    return Key(file.name, public, private)


def _private_text(private: Ed25519PrivateKey, locked: KeySerializationEncryption, form: PrivateFormat) -> bytes:
    return private.private_bytes(Encoding.PEM, form, locked)


def _public_of(path: Path) -> PublicKey:
    try:
        words = path.read_text(encoding="ascii").split()
        return PublicKey.from_blob(base64.b64decode(words[1], validate=True))
    except (OSError, ValueError, IndexError) as err:
        raise InputError(f"{path} does not read as a public key: {err}", hint="Make it anew: ssh-keygen -y.") from err


def _ssh_locked(text: bytes) -> bool:
    body = b"".join(text.splitlines()[1:-1])
    return not base64.b64decode(body)[15:].startswith(b"\0\0\0\x04none")
