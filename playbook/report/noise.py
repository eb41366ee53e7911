"""
Owns telling a change of a measured figure from the noise of its repeats.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

__all__ = ["FEWEST_REPEATS", "Spread", "spread_of"]

FEWEST_REPEATS = 3
_SIGMAS = 3.0
_MAD_TO_SIGMA = 1.4826
"""The median absolute deviation of a normal distribution, as its standard deviation (Rousseeuw and Croux, 1993)."""
_LEAST_SHARE = 0.25


@dataclass(frozen=True, slots=True)
class Spread:
    """
    What repeats of a figure looked like: their middle, and how far from it is still noise.
    """

    middle: float
    noise: float
    repeats: int

    def above(self, value: float) -> bool:
        """
        Say whether a value lies above the noise. Read-only.
        """
        return value > self.middle + self.noise

    def outside(self, value: float) -> bool:
        """
        Say whether a value lies outside the noise on either side. Read-only.
        """
        return abs(value - self.middle) > self.noise


def spread_of(values: Sequence[float], *, floor: float = 0.0) -> Spread | None:
    """
    Measure the spread of repeats; None when there are fewer than three, from which nothing follows. Read-only.

    Noise is three standard deviations (from the median deviation), at least a quarter of the middle, at least `floor`.
    """
    if len(values) < FEWEST_REPEATS:
        return None
    middle = median(values)
    deviation = median(abs(value - middle) for value in values) * _MAD_TO_SIGMA
    return Spread(middle, max(_SIGMAS * deviation, _LEAST_SHARE * abs(middle), floor), len(values))
