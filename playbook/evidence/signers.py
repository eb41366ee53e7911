"""
Owns the file of allowed signers, in OpenSSH's form: whose key is whose, for which purpose and until when.
"""

from __future__ import annotations

import base64
import binascii
import fnmatch
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from playbook.errors import EvidenceError, InputError
from playbook.evidence.public_key import KEY_TYPE, PublicKey
from playbook.evidence.sshsig import NAMESPACE

__all__ = ["AllowedSigner", "AllowedSigners", "add_signer", "read_signers"]

_LINE = re.compile(
    r'(?P<who>"[^"]+"|[^\s"#]\S*)[ \t]+'
    r'(?:(?P<options>(?:[a-z-]+(?:="[^"]*")?)(?:,[a-z-]+(?:="[^"]*")?)*)[ \t]+)?'
    r"(?P<type>(?:ssh|ecdsa|sk-ssh|sk-ecdsa)-[a-z0-9@.-]+)[ \t]+(?P<key>[A-Za-z0-9+/]+=*)(?:[ \t].*)?"
)
_OPTION = re.compile(r'([a-z-]+)(?:="([^"]*)")?')


@dataclass(frozen=True, slots=True)
class AllowedSigner:
    """
    One line: who, with which key, for which namespaces, and between which moments.
    """

    name: str
    key: PublicKey
    namespaces: tuple[str, ...] = ("*",)
    after: datetime | None = None
    before: datetime | None = None


@dataclass(frozen=True, slots=True)
class AllowedSigners:
    """
    A file of allowed signers as read.
    """

    source: str
    signers: tuple[AllowedSigner, ...]

    def name_of(self, key: PublicKey, *, at: datetime) -> str | None:
        """
        Say whose key it is at a moment, for our namespace; None when nobody's. Read-only.

        The moment is the run's end, as git takes the commit's (ssh-keygen: -Overify-time).
        """
        for signer in self.signers:
            timely = (signer.after is None or at >= signer.after) and (signer.before is None or at <= signer.before)
            if signer.key == key and timely and any(fnmatch.fnmatchcase(NAMESPACE, one) for one in signer.namespaces):
                return signer.name
        return None


def read_signers(path: Path) -> AllowedSigners:
    """
    Read a file of allowed signers (ssh-keygen(1), ALLOWED SIGNERS). Read-only.

    Lines of certificate authorities and of other kinds of keys are passed over: they vouch for nothing here. Raises
    InputError naming file and line.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as err:
        raise InputError(f"{path} cannot be read: {err}", hint="Name a file of allowed signers.") from err
    return AllowedSigners(str(path), tuple(_signers(text, str(path))))


def add_signer(path: Path, name: str, key: PublicKey) -> None:
    """
    Add a line for a key to a file of allowed signers; adding it again changes nothing.
    """
    line = f'{name} namespaces="{NAMESPACE}" {key.openssh}\n'
    before = path.read_text(encoding="utf-8") if path.is_file() else ""
    if line not in before:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        gap = "" if not before or before.endswith("\n") else "\n"
        path.write_text(before + gap + line, encoding="utf-8")


def _signers(text: str, source: str) -> Iterator[AllowedSigner]:
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        found = _LINE.fullmatch(line.strip())
        if found is None:
            raise _refused(source, number, "is no line of an allowed signers file")
        options = dict(_OPTION.findall(found["options"] or ""))
        if found["type"] != KEY_TYPE or "cert-authority" in options:
            continue
        unknown = options.keys() - {"namespaces", "valid-after", "valid-before"}
        if unknown:
            raise _refused(source, number, f"has an option that is not known: {', '.join(sorted(unknown))}")
        try:
            key = PublicKey.from_blob(base64.b64decode(found["key"], validate=True))
            after, before = (_moment(options.get(name)) for name in ("valid-after", "valid-before"))
        except (binascii.Error, EvidenceError, ValueError) as err:
            raise _refused(source, number, f"does not read: {err}") from err
        namespaces = tuple(options["namespaces"].split(",")) if "namespaces" in options else ("*",)
        yield AllowedSigner(found["who"].strip('"'), key, namespaces, after, before)


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    digits = text.removesuffix("Z")
    form = {8: "%Y%m%d", 12: "%Y%m%d%H%M", 14: "%Y%m%d%H%M%S"}.get(len(digits), "")
    if text.endswith("Z"):
        return datetime.strptime(f"{digits}+0000", f"{form}%z")
    return datetime.strptime(digits, form).astimezone()


def _refused(source: str, line: int, problem: str) -> InputError:
    hint = f'Write: name namespaces="{NAMESPACE}" {KEY_TYPE} AAAA…'
    return InputError(f"{source}:{line}: {problem}", hint=hint)
