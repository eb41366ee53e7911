"""
Owns reading answers as what a limit did: let through or refused, when, and until when. It sends nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from email.utils import parsedate_to_datetime

from playbook.limits.judging import Asked, Trace
from playbook.limits.limit import Limit
from playbook.limits.wire import Answer

__all__ = ["asked_of", "trace_of"]


def trace_of(limit: Limit, answers: Iterator[Answer] | Sequence[Answer]) -> Trace:
    """
    Read answers to one caller, in the order in which they were asked for.
    """
    seen = list(answers)
    origin = min((one.answered_s for one in seen), default=0.0)
    span = max((one.answered_s for one in seen), default=0.0) - min((one.sent_s for one in seen), default=0.0)
    return Trace(tuple(asked_of(limit, one, origin) for one in seen), origin, span)


def asked_of(limit: Limit, answer: Answer, origin_s: float) -> Asked:
    """
    Read one answer; `origin_s` is the monotonic time that its moment is told from.
    """
    return Asked(
        at_s=round(answer.answered_s - origin_s, 4),
        status=answer.status,
        admitted=limit.admits(answer.status),
        took_s=round(answer.answered_s - answer.sent_s, 4),
        wait=answer.headers.get("retry-after"),
        wait_s=_wait_s(answer),
        reason=answer.reason,
    )


def _wait_s(answer: Answer) -> float | None:
    """
    Read Retry-After, seconds or an HTTP date (RFC 9110, section 10.2.3), as seconds from now; None if neither.
    """
    text = answer.headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return float(text)
    try:
        due = parsedate_to_datetime(text)
        now = parsedate_to_datetime(answer.headers.get("date", ""))
        return max(0.0, (due - now).total_seconds())
    except (TypeError, ValueError):
        return None
