"""
Owns keeping secrets out of evidence: known values in the forms they travel in, and what looks like a secret.

It must not leave anything from which a secret could be computed: one mark for all, no digest, no length.
"""

from __future__ import annotations

import base64
import html
import json
import re
import threading
from collections.abc import Iterable, Iterator
from functools import lru_cache
from urllib.parse import quote, quote_plus

from pydantic import JsonValue

from playbook.errors import EvidenceError
from playbook.evidence.canonical import read_json
from playbook.evidence.patterns import MARK, SENSITIVE_KEY, redact_patterns

__all__ = ["MARK", "MINIMUM", "Redactor"]

MINIMUM = 6
"""Shorter values occur in innocent text; replacing them would destroy evidence without hiding anything."""

_JSON_NAMES = (".json", ".ipynb")
_SHORT, _MOST_SEEN = 400, 20_000
"""Ten thousand results repeat the same keys, titles and names: what they become is found out once."""


class Redactor:
    """
    Replaces secrets by one mark in values, text and bytes. Safe to use from several threads.

    `too_short` counts the values that were left out because they are shorter than six characters.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._lock = threading.Lock()
        self._secrets: frozenset[str] = frozenset()
        self._text: re.Pattern[str] | None = None
        self._binary: re.Pattern[str] | None = None
        self._seen: dict[str, str] = {}
        self.too_short = 0
        self.add(secrets)

    def add(self, secrets: Iterable[str]) -> None:
        """
        Know more secrets from now on; what was written before is not changed.
        """
        with self._lock:
            new = set(secrets) - self._secrets
            self.too_short += sum(1 for secret in new if len(secret) < MINIMUM)
            usable = {secret for secret in new if len(secret) >= MINIMUM and secret not in MARK and MARK not in secret}
            if not usable:
                return
            self._secrets |= usable
            forms = {form for secret in self._secrets for form in _forms(secret)}
            self._text = _any_of(forms)
            self._binary = _any_of({*map(_bytewise, forms), *map(_wide, self._secrets)})
            self._seen = {}

    def text(self, text: str) -> str:
        """
        Redact text. Half surrogate pairs, which UTF-8 cannot carry, become their escapes.
        """
        seen = self._seen  # the one from before a secret was added keeps what is found out meanwhile to itself
        known = seen.get(text)
        if known is None:
            known = self._redacted(text)
            if len(text) <= _SHORT and len(seen) < _MOST_SEEN:
                seen[text] = known
        return known

    def _redacted(self, text: str) -> str:
        if not text.isascii():
            text = text.encode("utf-8", "backslashreplace").decode()
        known = self._text
        return redact_patterns(known.sub(MARK, text) if known else text)

    def value(self, value: JsonValue) -> JsonValue:
        """
        Redact a JSON value: strings, keys, and whatever string stands under a key such as `password`.
        """
        match value:
            case str():
                return self.text(value)
            case list():
                return [self.value(item) for item in value]
            case dict():
                return self._object(value)
            case int() | float() if str(value) in self._secrets:
                return MARK
        return value

    def content(self, data: bytes, *, name: str) -> bytes:
        """
        Redact a file's content; JSON and notebooks stay what they are, binary content is searched bytewise.
        """
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError:
            known = self._binary
            raw = data.decode("latin-1")
            return redact_patterns(known.sub(MARK, raw) if known else raw).encode("latin-1")
        if name.endswith(_JSON_NAMES):
            try:
                value = read_json(data, source=name)
            except EvidenceError:
                return self.text(text).encode()
            return self._document(value, data)
        return self.text(text).encode()

    def _document(self, value: JsonValue, data: bytes) -> bytes:
        redacted = self.value(_joined(value))
        if redacted == _joined(value):
            return data
        return json.dumps(redacted, indent=1, ensure_ascii=False).encode() + b"\n"

    def _object(self, value: dict[str, JsonValue]) -> dict[str, JsonValue]:
        found: dict[str, JsonValue] = {}
        for key, item in value.items():
            name = self.text(key)
            while name in found:
                name += "'"
            hidden = isinstance(item, str) and item and _is_sensitive(key)
            found[name] = MARK if hidden else self.value(item)
        return found


@lru_cache(maxsize=1024)
def _is_sensitive(key: str) -> bool:
    return SENSITIVE_KEY.fullmatch(key) is not None


def _joined(value: JsonValue) -> JsonValue:
    """
    Join the line lists of a notebook's file form, so that a key of several lines is seen whole.
    """
    if isinstance(value, list):
        if len(value) > 1 and all(isinstance(line, str) and line.endswith("\n") for line in value[:-1]):
            return "".join(map(str, value)) if isinstance(value[-1], str) else value
        return [_joined(item) for item in value]
    if isinstance(value, dict):
        return {key: _joined(item) for key, item in value.items()}
    return value


def _forms(secret: str) -> Iterator[str]:
    plain = {secret, json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1], repr(secret)[1:-1]}
    plain |= {form.replace("/", "\\/") for form in plain} | {html.escape(secret), html.escape(secret, quote=False)}
    data = secret.encode("utf-8", "backslashreplace")
    plain.add(data.decode())
    for encoded in (quote(data, safe=""), quote(data), quote_plus(data)):
        plain |= {encoded, re.sub(r"%[0-9A-F]{2}", lambda match: match.group().lower(), encoded)}
    yield from plain
    yield from (data.hex(), data.hex().upper())
    for shift in range(3):
        yield from _base64_forms(data, shift)


def _base64_forms(data: bytes, shift: int) -> Iterator[str]:
    """
    Give what stays the same of base64(prefix + data + anything) when the prefix has `shift` bytes modulo 3.
    """
    padded = bytes(shift) + data
    first = (0, 2, 3)[shift]
    whole = len(padded) * 8 // 6
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        if shift == 0:
            yield encode(data).decode()
        yield encode(padded).decode()[first:whole]


def _any_of(forms: Iterable[str]) -> re.Pattern[str]:
    ordered = sorted(set(forms), key=lambda form: (-len(form), form))
    return re.compile("|".join(map(re.escape, ordered)))


def _bytewise(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode("latin-1")


def _wide(text: str) -> str:
    return text.encode("utf-16-le", "backslashreplace").decode("latin-1")
