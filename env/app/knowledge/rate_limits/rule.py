"""
Owns the words of counting: a rule, a verdict, and who gives one.
"""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from typing import Protocol

__all__ = ["Counting", "Rule", "Verdict"]


@dataclass(frozen=True, slots=True)
class Rule:
    """
    So many requests of one identity in a window.
    """

    limit: str
    identity: str
    requests: int
    seconds: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """
    Whether a request is admitted; if not, in how many whole seconds one would be. `counted` is false without a store.
    """

    admitted: bool
    wait_s: int = 0
    counted: bool = True


class Counting(Protocol):
    """
    Admits or refuses.
    """

    def admit(self, rules: Sequence[Rule]) -> Awaitable[Verdict]: ...
