"""
Owns replacing a project's secrets by new ones, the same old value by the same new one wherever it stands as a secret.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Iterable, Mapping
from urllib.parse import urlsplit

__all__ = ["Replacements", "find_secrets"]

_NAMES = re.compile(
    r"PASS|PASSWORD|PASSWD|PWD|SECRET|TOKEN|API_?KEY|PRIVATE_?KEY|ACCESS_?KEY|CREDENTIAL|SALT|DSN", re.IGNORECASE
)
_NOT_SECRET = re.compile(
    r"(_FILE|_PATH|_TTL|_SECONDS|_LIFETIME|_EXPIRE\w*|_ALGORITHM|_HEADER|_URL_PATH)$", re.IGNORECASE
)
_PLAIN = {"", "true", "false", "yes", "no", "on", "off", "none", "null", "0", "1"}
_TELLING = 12
"""From this length on a secret is also replaced where it stands in the middle of something."""


class Replacements:
    """
    Old secret values and what stands for each in the twin.
    """

    def __init__(self, found: Iterable[str], *, token: Callable[[int], str] = secrets.token_hex) -> None:
        # The longest first: one secret may be part of another.
        self._new = {old: token(16) for old in sorted(set(found), key=len, reverse=True)}

    def __len__(self) -> int:
        return len(self._new)

    def setting(self, name: str, value: str) -> str:
        """
        Replace what is secret in a setting: all of it, the password of a URL, or a part that nothing else would be.
        """
        password = _password_of(value)
        if password is not None:
            value = value.replace(f":{password}@", f":{self._new.get(password, password)}@", 1)
        elif _is_secret(name, value) and value in self._new:
            return self._new[value]
        return self.text(value)

    def text(self, value: str) -> str:
        """
        Replace secrets in a command or the like; short ones stay, which could be any word.
        """
        for old, new in self._new.items():
            if len(old) >= _TELLING:
                value = value.replace(old, new)
        return value


def find_secrets(environments: Iterable[Mapping[str, str | None]]) -> set[str]:
    """
    Find values that a name or a URL marks as secret. Read-only.
    """
    found = set()
    for environment in environments:
        for name, value in environment.items():
            password = None if value is None else _password_of(value)
            if password is not None:
                found.add(password)
            elif value is not None and _is_secret(name, value):
                found.add(value)
    return found


def _is_secret(name: str, value: str) -> bool:
    if value.lower() in _PLAIN or "://" in value:
        return False
    return bool(_NAMES.search(name)) and not _NOT_SECRET.search(name)


def _password_of(value: str) -> str | None:
    if "://" not in value:
        return None
    try:
        return urlsplit(value).password or None
    except ValueError:
        return None
