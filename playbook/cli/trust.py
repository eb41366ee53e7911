"""
Owns whom a command trusts and with which key it signs: allowed signers, the user's keys, their passphrase.
"""

from __future__ import annotations

import os
import sys
from collections.abc import MutableMapping
from pathlib import Path

import click

from playbook.errors import InputError
from playbook.evidence.keys import Key, configuration_folder, find_key, list_keys, load_key
from playbook.evidence.signers import AllowedSigners, read_signers

__all__ = ["PASSPHRASE", "find_allowed", "own_keys", "signers_file", "signers_option", "signing_key"]

PASSPHRASE = "PLAYBOOK_KEY_PASSPHRASE"  # noqa: S105 (the variable's name)
_VARIABLE = "PLAYBOOK_ALLOWED_SIGNERS"

signers_option = click.option(
    "--allowed-signers",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Whose key is whose, as OpenSSH writes it; else PLAYBOOK_ALLOWED_SIGNERS, else the file of `playbook keys`.",
)


def signers_file() -> Path:
    """
    Name this user's own file of allowed signers. Read-only.
    """
    return configuration_folder(os.environ) / "allowed_signers"


def find_allowed(option: Path | None) -> AllowedSigners | None:
    """
    Read the allowed signers to go by; None when no file was named and the user has none. Read-only.

    Raises InputError when the file named does not read.
    """
    named = os.environ.get(_VARIABLE)
    path = option or (Path(named).expanduser() if named else None)
    if path is None and not signers_file().is_file():
        return None
    return read_signers(path or signers_file())


def own_keys() -> frozenset[str]:
    """
    Give the fingerprints of the keys that lie on this machine. Read-only.
    """
    return frozenset(file.public.fingerprint for file in list_keys(configuration_folder(os.environ)))


def signing_key(
    name: str | None = None, *, wanted: bool = True, environ: MutableMapping[str, str] = os.environ
) -> Key | None:
    """
    Load the key to sign with; None when there is none, or none is `wanted`. Asks for its passphrase on a terminal.

    The passphrase is taken out of the environment in any case: kernels inherit it. Raises InputError.
    """
    given = environ.pop(PASSPHRASE, None)
    file = find_key(configuration_folder(environ), environ, name=name) if wanted else None
    if file is None:
        return None
    if file.locked and given is None:
        if not sys.stdin.isatty():
            raise InputError(
                f"the key {file.name} has a passphrase, and there is no terminal to ask on",
                hint=f"Set {PASSPHRASE}, or run with --no-sign.",
            )
        given = click.prompt(f"Passphrase of {file.name}", hide_input=True, err=True)
    return load_key(file, passphrase=given if file.locked else None)
