"""
Owns what looks like a secret although nobody named it: passwords in addresses and settings, tokens, private keys.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

__all__ = ["MARK", "RULES", "SENSITIVE_KEY", "redact_patterns"]

MARK = "[redacted]"
SHORT = 300

_MARK = re.escape(MARK)
_NAMES = r"password|passwd|pwd|secret[_-]?key|client[_-]?secret|secret|api[_-]?key|access[_-]?token|refresh[_-]?token"

SENSITIVE_KEY = re.compile(rf"(?i)([a-z0-9]+[_-])*({_NAMES}|token|authorization|cookie|set-cookie|private[_-]?key)")
"""Keys of objects whose string value is a secret whatever it looks like."""

_KEY_NAME = r"(?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----"
_KEY_BLOCK = re.compile(rf"-----BEGIN {_KEY_NAME}.*?(?:-----END {_KEY_NAME}|\Z)", re.DOTALL)
_ADDRESS = re.compile(r"(?i)(\b[a-z][a-z0-9+.-]{1,30}://[^\s/:@'\"]{0,200}:)([^\s/@'\"]{1,500})(?=@)")
_HEADER = re.compile(rf"(?i)(\bauthorization['\"]?\s*[:=]\s*['\"]?(?:[a-z]+ +)?)({_MARK}|[^\s'\",;]+)")
_BEARER = re.compile(r"(?i)(\bbearer +)([a-z0-9._~+/=-]{16,})")
_TOKEN = re.compile(r"\beyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]{2,}\.[A-Za-z0-9_-]*")
_SETTING = re.compile(rf"(?i)((?:{_NAMES})\s*(?<![=!<>])=(?!=)\s*)({_MARK}|\"[^\"\n]+\"|'[^'\n]+'|[^\s&;,'\"<>)}}\]]+)")
_MEMBER = re.compile(rf"(?i)((?:{_NAMES}|token)['\"]\s*:\s*)(\"(?:[^\"\\\n]|\\.)+\"|'(?:[^'\\\n]|\\.)+')")
_ESCAPED_MEMBER = re.compile(rf"(?i)((?:{_NAMES}|token)\\['\"]\s*:\s*\\['\"])((?:(?!\\['\"])[^\n])+)")
_SQL = re.compile(r"(?i)(\bpassword\s+)('[^'\n]+')")


def redact_patterns(text: str) -> str:
    """
    Replace what looks like a secret by the mark; doing it twice changes nothing more.

    Short texts are remembered: titles, names and queries come again with each of ten thousand results.
    """
    return _remembered(text) if len(text) <= SHORT else _redact(text)


def _keep_name(match: re.Match[str]) -> str:
    value = match.group(2)
    opening = value[0] if value[0] in "'\"" else ""
    closing = opening if len(value) > 1 and value.endswith(opening) else ""
    return f"{match.group(1)}{opening}{MARK}{closing}"


_NAMED = ("passw", "pwd", "secret", "apikey", "api_key", "api-key", "token")
RULES: tuple[tuple[tuple[str, ...], re.Pattern[str], str | Callable[[re.Match[str]], str]], ...] = (
    (("-----begin ",), _KEY_BLOCK, MARK),
    (("://",), _ADDRESS, _keep_name),
    (("authorization",), _HEADER, _keep_name),
    (("bearer",), _BEARER, _keep_name),
    (("eyj",), _TOKEN, MARK),
    (_NAMED, _SETTING, _keep_name),
    (_NAMED, _MEMBER, _keep_name),
    (_NAMED, _ESCAPED_MEMBER, _keep_name),
    (("password",), _SQL, _keep_name),
)
"""Each pattern, after words of which one stands in whatever it matches: pictures of a megabyte hold none of them."""


def _redact(text: str) -> str:
    folded = text.casefold()
    for words, pattern, mark in RULES:
        if any(word in folded for word in words):
            text = pattern.sub(mark, text)
    return text


_remembered = lru_cache(maxsize=4096)(_redact)
