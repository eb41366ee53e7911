"""
Owns how schemas age: files of an older playbook stay readable, those of a newer one are told from damaged ones.
"""

from __future__ import annotations

import re

from pydantic import JsonValue

__all__ = ["as_old_as", "judge_version"]

_NAME = re.compile(r"(?P<kind>[a-z:/-]+[/:])(?P<number>[1-9]\d{0,5})")


def judge_version(stated: JsonValue, known: str) -> tuple[str, str] | None:
    """
    Compare a stated schema with the newest one we read; None when it is that one. Read-only.

    Returns (`future` or `version`, text): `future` is the same kind with a higher number, which only a newer playbook
    can judge; `version` is anything else, which no playbook ever wrote.
    """
    if stated == known:
        return None
    seen = _NAME.fullmatch(stated) if isinstance(stated, str) else None
    ours = _NAME.fullmatch(known)
    assert ours is not None
    if seen and seen["kind"] == ours["kind"] and int(seen["number"]) > int(ours["number"]):
        return "future", f"was made by a newer playbook: schema {seen['number']}, this one reads {ours['number']}"
    return "version", f"is of schema {stated!r}, known is {known}"


def as_old_as(stored: JsonValue, computed: JsonValue) -> JsonValue:
    """
    Leave out of `computed` what a playbook did not have when it wrote `stored`. Read-only.

    Only fields that say nothing (null, empty, false, zero) may be absent: so a version grows by such fields alone, and
    taking a field out of a file that says something is still noticed.
    """
    if isinstance(stored, dict) and isinstance(computed, dict):
        return {key: as_old_as(stored.get(key), item) for key, item in computed.items() if key in stored or item}
    if isinstance(stored, list) and isinstance(computed, list) and len(stored) == len(computed):
        return [as_old_as(*pair) for pair in zip(stored, computed, strict=True)]
    return computed
