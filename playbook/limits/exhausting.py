"""
Owns whether a caller was exhausted at all: who was never let through, or not answered, tells nothing about a limit.

Pure: no clock, no network.
"""

from __future__ import annotations

from collections.abc import Sequence

from playbook.limits.judging import SERVER_ERROR, Trace, silence_of
from playbook.limits.limit import Window

__all__ = ["doubt_of"]


def doubt_of(spent: Sequence[Trace], window: Window) -> str | None:
    """
    Say why one caller, who asked here and there until it was refused, does not count as exhausted, or None.

    It may be exhausted at one instance and refused at once at the next: they count together.
    """
    asked = [one for trace in spent for one in trace.asked]
    silence = silence_of(asked)
    if silence is not None:
        return silence
    admitted = sum(one.admitted for one in asked)
    refusal = next((one for one in asked if not one.admitted), None)
    if not admitted:
        return f"a fresh caller's first request was answered {refusal.status if refusal else 'by nobody'}, not counted"
    if refusal is not None and refusal.status >= SERVER_ERROR and admitted < window.requests:
        return f"a request failed with {refusal.status} before the limit was full"
    return None
