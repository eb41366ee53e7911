"""
Owns how values, texts, times and durations of evidence are spelt for people.

Evidence holds what a service under test answered: its control characters and direction marks are made visible, so
that they neither steer a terminal nor reorder a sentence (Unicode TR 36, §2.3).
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime

from pydantic import JsonValue

from playbook.evidence.result import Names, NamesDigest

__all__ = ["VALUE_LIMIT", "count_of", "counted_names", "plain", "spell_duration", "spell_time", "spell_value"]

VALUE_LIMIT = 400
_STEERING = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]"
)
_MINUTE_S = 60


def plain(text: str) -> str:
    r"""
    Spell control characters and direction marks as `\\uXXXX`; tab and newline stay.
    """
    return _STEERING.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def spell_value(value: JsonValue, *, limit: int = VALUE_LIMIT) -> str:
    """
    Spell a value as JSON, cut at `limit` characters, saying so.
    """
    text = plain(json.dumps(value, ensure_ascii=False))
    return text if len(text) <= limit else f"{text[:limit]}… ({len(text)} characters in all)"


def spell_duration(duration_s: float) -> str:
    """
    Spell a duration in the unit that a reader would use.
    """
    if duration_s < 1:
        return f"{duration_s * 1000:.0f} ms"
    if duration_s < _MINUTE_S:
        return f"{duration_s:.1f} s"
    minutes, seconds = divmod(round(duration_s), _MINUTE_S)
    return f"{minutes} min {seconds} s"


def spell_time(moment: datetime) -> str:
    """
    Spell a moment in UTC, to the second.
    """
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def count_of(number: int, noun: str) -> str:
    """
    Spell a number of things; the noun is given in the singular.
    """
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def counted_names(names: Names) -> int:
    """
    Count a list of names, also one of which only count and digest are stored.
    """
    return names.count if isinstance(names, NamesDigest) else len(names)
