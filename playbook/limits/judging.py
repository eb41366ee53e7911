"""
Owns what an experiment means. Pure: no clock, no network; the same observation gives the same judgement.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import inf
from typing import Literal

from playbook.limits.declaration import WhenDown, Window

__all__ = [
    "ANSWER_BOUND_S",
    "TOO_MANY",
    "Asked",
    "Judged",
    "Spent",
    "Trace",
    "WaitTold",
    "WaitWord",
    "judge_count",
    "judge_spending",
    "judge_wait",
    "judge_without_store",
    "silence_of",
    "too_long",
]

LONGEST_SHARE = 0.1
"""A burst longer than this share of the window cannot be told from two windows (FACTS §5)."""
ANSWER_BOUND_S = 2.0
"""Without its store a service must answer within this time."""
BAD_REQUEST = 400
TOO_MANY = 429
SERVER_ERROR = 500
UNAVAILABLE = 503

WaitWord = Literal["truthful", "early", "late", "absent", "malformed", "nothing refused"]


@dataclass(frozen=True, slots=True)
class Asked:
    """
    One request: when it was answered (seconds after the first answer), how, and what Retry-After said.
    """

    at_s: float
    status: int
    admitted: bool
    took_s: float = 0.0
    wait: str | None = None
    wait_s: float | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Trace:
    """
    A caller's requests in order; `origin_s` is the monotonic time of its first answer, `span_s` what they took.
    """

    asked: tuple[Asked, ...]
    origin_s: float = 0.0
    span_s: float = 0.0

    @property
    def admitted(self) -> int:
        """How many were let through."""
        return sum(one.admitted for one in self.asked)

    @property
    def refused_status(self) -> int | None:
        """The status of the first that was not."""
        return next((one.status for one in self.asked if not one.admitted), None)

    @property
    def last(self) -> Asked:
        """The last request."""
        return self.asked[-1]

    @property
    def last_answered_s(self) -> float:
        """Monotonic time of the last answer."""
        return self.origin_s + self.last.at_s


@dataclass(frozen=True, slots=True)
class Judged:
    """
    How many were admitted and how the first refusal looked, or why that cannot be said.
    """

    admitted: int
    refused_status: int | None
    inconclusive: str | None = None


@dataclass(frozen=True, slots=True)
class WaitTold:
    """
    What Retry-After said to an exhausted caller, and what came of obeying it, of coming early, of asking in between.

    `early_until_s`: who is answered before it has come a second early for sure, in the time of `early.at_s`. `doubt`
    says why nothing can be learnt from these callers.
    """

    spent: Trace
    told_s: float | None
    obeyed: Asked | None = None
    early: Asked | None = None
    mid: Asked | None = None
    window_s: float = 0.0
    patience_s: float = 0.0
    early_until_s: float = inf
    doubt: str | None = None

    @property
    def came_early_too_late(self) -> bool:
        """Whether the early caller was let through at a time at which a truthful service may let it through."""
        return self.early is not None and self.early.admitted and self.early.at_s > self.early_until_s


@dataclass(frozen=True, slots=True)
class Spent:
    """
    What calls came to: one's price, how many had room under the cap, all statuses, and the usage shown for them.
    """

    price: int
    room: int
    at_once: tuple[int, ...]
    after: tuple[int, ...]
    shown: int

    @property
    def answered(self) -> int:
        """How many were carried out."""
        return sum(status < BAD_REQUEST for status in (*self.at_once, *self.after) if status)


def silence_of(asked: Iterable[Asked]) -> str | None:
    """
    Say that a request was not answered, or None: no answer is no refusal.
    """
    silent = next((one for one in asked if one.status == 0), None)
    return None if silent is None else f"a request was not answered: {silent.reason}"


def judge_count(trace: Trace, window: Window) -> Judged:
    """
    Say how many a fresh caller got through.

    Inconclusive: it was no fresh caller, nothing answered, or the experiment outlasted a tenth of the window.
    """
    judged = Judged(trace.admitted, trace.refused_status)
    if not trace.asked:
        return Judged(0, None, "nothing was asked")
    silence = silence_of(trace.asked)
    if silence is not None:
        return Judged(trace.admitted, None, silence)
    if trace.admitted == 0:
        return Judged(
            0, trace.refused_status, f"a fresh caller's first request was answered {trace.asked[0].status}, not counted"
        )
    lost = [one.status for one in trace.asked if not one.admitted and one.status >= SERVER_ERROR]
    if lost and trace.admitted < window.requests:
        return Judged(
            trace.admitted,
            trace.refused_status,
            f"{len(lost)} requests failed with {lost[0]} before the limit was full",
        )
    if too_long(trace, window):
        return Judged(
            trace.admitted,
            trace.refused_status,
            f"the requests took {trace.span_s:.2f} s, more than a tenth of the window of {window.seconds} s",
        )
    return judged


def too_long(trace: Trace, window: Window) -> bool:
    """
    Say whether an experiment cannot be told from two windows.
    """
    return trace.span_s > LONGEST_SHARE * window.seconds


def judge_wait(told: WaitTold) -> tuple[WaitWord | None, str | None]:  # noqa: PLR0911 (one answer each)
    """
    Say whether Retry-After is true; None with the reason when that could not be learnt.

    `early`: whoever obeys is refused. `late`: who comes a second earlier is admitted, or it is longer than the window.
    """
    if told.doubt is not None:
        return None, told.doubt
    refusal = told.spent.last
    if refusal.admitted:
        return "nothing refused", None
    if refusal.wait is None:
        return "absent", None
    if told.told_s is None:
        return "malformed", None
    if told.told_s > told.window_s + 1:
        return "late", None
    if told.obeyed is None:
        return None, f"it says {told.told_s:.0f} s; this run waits {told.patience_s:.0f} s at most"
    if not told.obeyed.admitted or (told.mid is not None and not told.mid.admitted):
        return "early", None
    if told.came_early_too_late:
        return None, "the machine was too busy to ask a second early in time"
    if told.early is not None and told.early.admitted:
        return "late", None
    return "truthful", None


def judge_without_store(asked: Sequence[Asked], window: Window) -> WhenDown | str:
    """
    Say in one word what a service does without its store, from one caller's N + 2 requests to one instance.

    Beside what can be declared: `error N` for a status that is no refusal, `hangs`, `too many` for a local limit that
    admits more than N.
    """
    if any(one.took_s > ANSWER_BOUND_S for one in asked):
        return "hangs"
    errors = [one.status for one in asked if not one.admitted and one.status not in (0, TOO_MANY, UNAVAILABLE)]
    if errors:
        return f"error {errors[0]}"
    if any(one.status == 0 for one in asked):
        return "hangs"
    admitted = sum(one.admitted for one in asked)
    if admitted == len(asked):
        return "open"
    if admitted == 0:
        return "closed"
    return "local" if admitted <= window.requests else "too many"


def judge_spending(spent: Spent) -> str:
    """
    Say in words whether calls at the same time stayed under the cap, were refused with 429, and were written down.
    """
    if spent.price <= 0:
        return "usage is not recorded"
    refused = sorted({one for one in (*spent.at_once, *spent.after) if not 0 < one < BAD_REQUEST} - {TOO_MANY})
    if spent.answered > spent.room:
        return "over the cap"
    if refused:
        return f"refused with {refused[0]}"
    if spent.answered < spent.room:
        return "refused below the cap"
    return "within the cap" if spent.shown == spent.answered * spent.price else "recorded wrongly"
