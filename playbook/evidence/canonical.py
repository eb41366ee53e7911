"""
Owns the one form in which JSON is hashed (RFC 8785), and the strict reading of JSON that others may have touched.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import NoReturn

import rfc8785
from pydantic import JsonValue

from playbook.errors import EvidenceError

__all__ = ["canonical", "digest", "ensure_exact", "plain_writer", "pretty", "read_json", "same_json", "sha256_hex"]

MAX_EXACT = 2**53 - 1
MAX_DEPTH = 200
_MEND = "Take the file from where it was sealed; it was changed or damaged since."


def canonical(value: JsonValue) -> bytes:
    """
    Write a value in its RFC 8785 form.

    Raises EvidenceError (`json-inexact`) for NaN, infinities, integers beyond 2^53 - 1 and lone surrogates.
    """
    try:
        if _is_plain(value):
            return _plain(value)
        return rfc8785.dumps(value)
    except (ValueError, RecursionError) as err:  # a half surrogate in a key is a plain UnicodeEncodeError
        raise EvidenceError(
            f"a value has no exact JSON form: {err}",
            hint="Store such a number as a string, or with its unit in an exact form.",
            code="json-inexact",
        ) from err


def _is_plain(value: JsonValue) -> bool:
    """
    Say whether Python's own writer, ten times as fast, gives the same bytes.

    It differs in numbers with an exponent or a `.0`, and in the order of keys beyond the BMP (RFC 8785 §3.2.2, §3.2.3).
    """
    match value:
        case None | bool() | str():
            return True
        case int():
            return abs(value) <= MAX_EXACT
        case float():
            return math.isfinite(value) and not value.is_integer() and "e" not in repr(value)
        case list():
            return all(map(_is_plain, value))
        case dict():
            return all(type(key) is str and (key.isascii() or max(key) <= "\uffff") for key in value) and all(
                map(_is_plain, value.values())
            )
    return False


_ODD_NUMBER = re.compile(rb"(?:^|[:\[,])-?(?:\d{16}|0\.0000|\d+\.0+[,}\]]|\d+(?:\.\d+)?[eE])")


def plain_writer(line: bytes) -> Callable[[JsonValue], bytes]:
    """
    Choose how to write again what was read from a line in RFC 8785 form: Python's own writer where it must agree.

    It differs as `_is_plain` says; numbers stand first, or behind `:`, `[` or `,`. A string that looks alike costs time
    only.
    """
    beyond_the_bmp = max(line, default=0) >= 0xF0  # noqa: PLR2004 (the first byte of four, RFC 3629 section 3)
    return canonical if beyond_the_bmp or _ODD_NUMBER.search(line) else _plain


def _plain(value: JsonValue) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def pretty(value: JsonValue) -> bytes:
    """
    Write a value for people: sorted keys, two spaces, one final newline.
    """
    return json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False).encode() + b"\n"


def sha256_hex(data: bytes) -> str:
    """
    Digest bytes: sha256, lower-case hex.
    """
    return hashlib.sha256(data).hexdigest()


def digest(value: JsonValue) -> str:
    """
    Digest a value: sha256 over its RFC 8785 form.
    """
    return sha256_hex(canonical(value))


def ensure_exact(value: JsonValue) -> JsonValue:
    """
    Return the value when it has an exact JSON form, else raise ValueError (so that models can call it).
    """
    try:
        canonical(value)
    except EvidenceError as err:
        raise ValueError(err.message) from err
    return value


def same_json(one: JsonValue, other: JsonValue) -> bool:
    """
    Compare as JSON does: 1 and 1.0 are one number, but 1 and true are not, at any depth.
    """
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same_json, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same_json(one[key], other[key]) for key in one)
    return one == other


def read_json(data: bytes, *, source: str) -> JsonValue:
    """
    Read JSON strictly; `source` names it in messages. Read-only.

    Raises EvidenceError with the codes `json-bom`, `json-utf8`, `json-syntax`, `json-duplicate-key`, `json-number`,
    `json-depth` and `json-surrogate`. Python's own reader lets all of them pass (RFC 8259 §4 and §8, RFC 7493 §2).
    """
    if data.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")):
        raise _refused(source, "json-bom", "begins with a byte order mark")
    try:
        text = data.decode("utf-8")
        value: JsonValue = json.loads(
            text,
            object_pairs_hook=partial(_unique, source),
            parse_constant=partial(_constant, source),
            parse_int=partial(_integer, source),
            parse_float=partial(_fraction, source),
        )
    except UnicodeDecodeError as err:
        raise _refused(source, "json-utf8", f"is not UTF-8 at byte {err.start}") from err
    except json.JSONDecodeError as err:
        raise _refused(source, "json-syntax", f"is not JSON at line {err.lineno}, column {err.colno}") from err
    except RecursionError as err:
        raise _refused(source, "json-depth", "is nested too deep") from err
    # Neither can be in a text without an escape, or with too few brackets for that depth.
    if b"\\u" in data or data.count(b"[") + data.count(b"{") > MAX_DEPTH:
        _refuse_odd(value, source, 0)
    return value


def _unique(source: str, pairs: Sequence[tuple[str, JsonValue]]) -> dict[str, JsonValue]:
    found: dict[str, JsonValue] = {}
    for key, value in pairs:
        if key in found:
            raise _refused(source, "json-duplicate-key", f"has the key {key!r} twice in one object")
        found[key] = value
    return found


def _constant(source: str, name: str) -> NoReturn:
    raise _refused(source, "json-number", f"holds {name}, which JSON does not have")


def _integer(source: str, digits: str) -> int | float:
    value = int(digits) if len(digits) < 400 else math.inf  # noqa: PLR2004 (no double has that many)
    if abs(value) <= MAX_EXACT:
        return value
    # RFC 8785 writes doubles below 1e21 without an exponent: 1e17 is read back as an integer.
    if math.isfinite(value) and rfc8785.dumps(float(value)) == digits.encode():
        return float(value)
    raise _refused(source, "json-number", f"holds the integer {digits[:40]}, which is not exact")


def _fraction(source: str, digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise _refused(source, "json-number", f"holds {digits[:40]}, which is out of range")
    return value


def _refuse_odd(value: JsonValue, source: str, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise _refused(source, "json-depth", f"is nested deeper than {MAX_DEPTH}")
    match value:
        case str():
            try:
                value.encode()
            except UnicodeEncodeError as err:
                raise _refused(source, "json-surrogate", "holds half of a surrogate pair") from err
        case Mapping():
            for key, item in value.items():
                _refuse_odd(key, source, depth + 1)
                _refuse_odd(item, source, depth + 1)
        case list():
            for item in value:
                _refuse_odd(item, source, depth + 1)


def _refused(source: str, code: str, problem: str) -> EvidenceError:
    return EvidenceError(f"{source} {problem}", hint=_MEND, code=code)
