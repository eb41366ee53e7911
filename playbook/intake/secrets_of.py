"""
Owns replacing a project's secrets by new ones, the same old value by the same new one wherever it stands as a secret.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping
from urllib.parse import urlsplit

__all__ = ["Replacements", "find_secrets", "settings_of"]

_NAMES = re.compile(
    r"PASS|PASSWORD|PASSWD|PWD|SECRET|TOKEN|API_?KEY|PRIVATE_?KEY|ACCESS_?KEY|CREDENTIAL|SALT|DSN"
    r"|(?<![A-Z0-9])(SK|PW|KEY|WEBHOOK)(?![A-Z0-9])",
    re.IGNORECASE,
)
_NOT_SECRET = re.compile(
    r"(_FILE|_PATH|_TTL|_SECONDS|_LIFETIME|_EXPIRE\w*|_ALGORITHM|_HEADER|_URL_PATH|_PREFIX|_NAME|PUBLIC_KEY)$",
    re.IGNORECASE,
)
_PATH = re.compile(r"\.{0,2}/[\w./-]+\.\w{1,5}|/run/secrets/\S+")
_URL = re.compile(r"[a-z][a-z0-9+.:-]*://", re.IGNORECASE)
_KEYWORD = re.compile(r"""(?<![a-z0-9])(?:password|pwd)=([^\s;&'"]+)""", re.IGNORECASE)
"""The password of a connection in keywords, or in a URL's query (PostgreSQL manual, Connection Strings)."""
_LINE = re.compile(
    r"""^([ \t]*["']?)(?!(?i:key)["' \t]*[:=])([\w.-]+)(["']?[ \t]*[:=][ \t]*["']?)([^\s"',]+)""", re.MULTILINE
)
"""A setting in a configuration file: `name = value`, `name: "value"`; a bare `key` is no secret there."""
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
        marked = _marked(value)
        if marked is not None:
            begin, end = marked
            value = f"{value[:begin]}{self._new.get(value[begin:end], value[begin:end])}{value[end:]}"
        elif _is_secret(name, value) and value in self._new:
            return self._new[value]
        return self.text(value)

    def lines(self, content: str) -> str:
        """
        Replace secrets in a configuration file, by the names of its settings and as in a text.
        """
        return self.text(
            _LINE.sub(lambda seen: f"{seen[1]}{seen[2]}{seen[3]}{self.setting(seen[2], seen[4])}", content)
        )

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
            marked = None if value is None else _marked(value)
            if value is not None and marked is not None:
                found.add(value[slice(*marked)])
            elif value is not None and _is_secret(name, value):
                found.add(value)
    return found


def settings_of(content: str) -> Iterator[Mapping[str, str]]:
    """
    Read what looks like settings in a configuration file of any kind, one by one. Read-only.
    """
    return ({seen[2]: seen[4]} for seen in _LINE.finditer(content))


def _is_secret(name: str, value: str) -> bool:
    if value.lower() in _PLAIN or _URL.match(value) or _PATH.fullmatch(value):
        return False
    return bool(_NAMES.search(name)) and not _NOT_SECRET.search(name)


def _marked(value: str) -> tuple[int, int] | None:
    """
    Find where the password of a URL or a connection stands.
    """
    password = None
    if _URL.match(value):
        try:
            password = urlsplit(value).password
        except ValueError:
            return None
    if password:
        begin = value.index(f":{password}@") + 1
        return begin, begin + len(password)
    seen = _KEYWORD.search(value)
    return None if seen is None else seen.span(1)
