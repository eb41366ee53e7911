"""
Owns the words for how a check ends, their order and their exit codes (CONTRACTS §1).
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum
from typing import Literal

__all__ = ["CODES", "Code", "Exit", "Outcome", "exit_for", "worst"]

Outcome = Literal["pass", "fail", "error", "skip", "waived"]
Code = Literal["inconclusive", "cannot_fail", "void", "crashed", "interrupted", "unavailable", "not_tried"]

CODES: tuple[Code, ...] = (
    "inconclusive",
    "cannot_fail",
    "void",
    "crashed",
    "interrupted",
    "unavailable",
    "not_tried",
)


class Exit(IntEnum):
    """
    Exit codes of every command.
    """

    OK = 0
    FAIL = 1
    BAD_INPUT = 2
    NO_STACK = 3
    NO_EVIDENCE = 4
    UNDECIDED = 5
    OUR_BUG = 70
    INTERRUPTED = 130


def worst(outcomes: Iterable[Outcome]) -> Outcome:
    """
    Fold outcomes into one: fail > error > pass.

    `skip` and `waived` do not count; without any `pass` the answer is `error`, because nothing was shown.
    """
    seen = set(outcomes)
    for outcome in ("fail", "error", "pass"):
        if outcome in seen:
            return outcome
    return "error"


def exit_for(outcome: Outcome) -> Exit:
    """
    Translate a run's outcome to its exit code.
    """
    return {"pass": Exit.OK, "fail": Exit.FAIL}.get(outcome, Exit.UNDECIDED)
