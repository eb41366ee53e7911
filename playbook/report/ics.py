"""
Owns due dates as a calendar that other programs subscribe to (RFC 5545).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

from playbook.report.due import CADENCES, Due

__all__ = ["render_ics"]

_FOLD = 75


def render_ics(dues: Sequence[Due], *, now: datetime) -> bytes:
    """
    Write one all-day event per due date; what is overdue stands on today. The same dues give the same events.
    """
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//hardening-playbook//due//EN", "CALSCALE:GREGORIAN"]
    for due in dues:
        lines += _event(due, now)
    return b"".join(_folded(line) for line in [*lines, "END:VCALENDAR"])


def _event(due: Due, now: datetime) -> list[str]:
    day = (max(due.due, now) if due.overdue else due.due).astimezone(UTC)
    held = due.last
    last = f"last held {held.started:%Y-%m-%d} ({held.outcome}), {held.run_id}" if held else "never held"
    state = "OVERDUE: " if due.overdue else ""
    command = f"playbook run {due.scenario} --profile {CADENCES[due.cadence]}"
    return [
        "BEGIN:VEVENT",
        f"UID:{due.scenario}-{due.cadence}@hardening-playbook",
        f"DTSTAMP:{now.astimezone(UTC):%Y%m%dT%H%M%SZ}",
        f"DTSTART;VALUE=DATE:{day:%Y%m%d}",
        f"DTEND;VALUE=DATE:{day + timedelta(days=1):%Y%m%d}",
        f"SUMMARY:{_text(f'{state}{due.cadence} drill of {due.scenario}')}",
        f"DESCRIPTION:{_text(f'{last}. Hold it: {command}')}",
        "TRANSP:TRANSPARENT",
        "END:VEVENT",
    ]


def _text(value: str) -> str:
    for char in "\\;,":
        value = value.replace(char, f"\\{char}")
    return value.replace("\n", "\\n")


def _folded(line: str) -> bytes:
    return b"\r\n ".join(_octets(line)) + b"\r\n"


def _octets(line: str) -> Iterator[bytes]:
    part = b""
    for char in line:
        octets = char.encode()
        if len(part) + len(octets) > _FOLD - 1:
            yield part
            part = b""
        part += octets
    yield part
