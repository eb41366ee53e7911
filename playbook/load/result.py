"""
Owns what a run measured: the generator's result file, its percentiles, and whether it may be judged at all.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

from hdrh.histogram import HdrHistogram
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from playbook.errors import StackError

__all__ = ["Foreign", "LoadResult", "OperationResult", "read_result"]

LATE_SHARE = 0.10
"""Of the objective: arrivals later than this make the generator the bottleneck (FACTS §6)."""
RAN_SHARE = 0.95
_SPECTRUM = (0, 10, 25, 50, 75, 90, 95, 97.5, 99, 99.5, 99.9, 100)


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Foreign(_Part):
    """
    Another tenant's canary, in how many responses to whom.
    """

    operation: str
    caller: str
    canary: str
    responses: int


class OperationResult(_Part):
    """
    One operation's share; `served` is an encoded histogram of microseconds.
    """

    sent: int
    lost: int
    served: str = Field(repr=False)


class LoadResult(_Part):
    """
    One run. `lost` are requests that were not served as expected: no answer, or another status.

    Latencies are of served requests, from their intended start; what was lost is in `lost` alone, however fast its
    error came.
    `bins` hold, per `bin_s` of intended time: number, sent, lost, slowest in microseconds.
    """

    begun_monotonic_s: float
    ran_s: float
    arrivals_s: float
    sent: int
    dropped: int
    lost: int
    unfinished: int
    late_max_ms: float
    late_p99_ms: float
    cpu_s: float
    outcomes: dict[str, int]
    served: str = Field(repr=False)
    operations: dict[str, OperationResult]
    own: dict[str, int]
    foreign: tuple[Foreign, ...]
    bin_s: float
    bins: tuple[tuple[int, int, int, int], ...] = Field(repr=False)

    @property
    def error_rate(self) -> float:
        """
        Share of the requests sent that were lost.
        """
        return self.lost / self.sent if self.sent else 1.0

    def percentile_ms(self, percentile: float) -> float:
        """
        Latency of the served at a percentile (0 to 100), in milliseconds; 100 is the slowest.
        """
        return percentiles_ms(self.served, (percentile,))[0]

    def percentile_of_sent_ms(self, percentile: float) -> float | None:
        """
        Latency at a percentile of all requests sent, in milliseconds; None where that request was lost.

        A lost request counts as slower than any that was served: whoever loses its slow ones gets no better by it.
        """
        served = self.sent - self.lost
        among_served = percentile * self.sent / served if served > 0 else None
        return None if among_served is None or among_served > 100 else self.percentile_ms(among_served)  # noqa: PLR2004

    def spectrum(self) -> list[list[float]]:
        """
        Pairs of percentile and milliseconds, for a picture.
        """
        values = percentiles_ms(self.served, _SPECTRUM)
        return [[point, value] for point, value in zip(_SPECTRUM, values, strict=True)]

    def causes(self) -> dict[str, int]:
        """
        Count the losses by what came instead: a status, an exception's name, `unfinished`.
        """
        seen = {name: count for name, count in self.outcomes.items() if not name.startswith("2")}
        return {**seen, **({"unfinished": self.unfinished} if self.unfinished else {})}

    def with_later(self, later: LoadResult) -> LoadResult:
        """
        Count two runs as one: whatever either of them sent, lost, recorded or saw is in it.
        """
        operations = {
            name: OperationResult(
                sent=sum(one.sent for one in both),
                lost=sum(one.lost for one in both),
                served=_added(*(one.served for one in both)),
            )
            for name in self.operations | later.operations
            if (both := [run.operations[name] for run in (self, later) if name in run.operations])
        }
        begins = math.ceil(self.arrivals_s / self.bin_s)
        return LoadResult(
            begun_monotonic_s=self.begun_monotonic_s,
            ran_s=self.ran_s + later.ran_s,
            arrivals_s=self.arrivals_s + later.arrivals_s,
            sent=self.sent + later.sent,
            dropped=self.dropped + later.dropped,
            lost=self.lost + later.lost,
            unfinished=self.unfinished + later.unfinished,
            late_max_ms=max(self.late_max_ms, later.late_max_ms),
            late_p99_ms=max(self.late_p99_ms, later.late_p99_ms),
            cpu_s=self.cpu_s + later.cpu_s,
            outcomes=Counter(self.outcomes) + Counter(later.outcomes),
            served=_added(self.served, later.served),
            operations=operations,
            own=Counter(self.own) + Counter(later.own),
            foreign=self.foreign + later.foreign,
            bin_s=self.bin_s,
            bins=self.bins + tuple((begins + number, *counts) for number, *counts in later.bins),
        )

    def unfit(self, *, declared_s: float | None, late_limit_ms: float | None) -> str | None:
        """
        Say why this run can decide nothing, or None.

        `declared_s`: how long arrivals had to come. `late_limit_ms`: how late they may leave; where only losses are
        counted, lateness decides nothing.
        """
        if not self.sent:
            return "no request was sent"
        if declared_s is not None and self.arrivals_s < declared_s * RAN_SHARE:
            return f"arrivals came for {self.arrivals_s:.1f} s of the declared {declared_s:.1f} s"
        if self.dropped:
            return f"the generator dropped {self.dropped} arrivals: it was the bottleneck"
        if late_limit_ms is not None and self.late_max_ms > late_limit_ms:
            return (
                f"arrivals left up to {self.late_max_ms:.0f} ms late, more than {late_limit_ms:.0f} ms:"
                " the generator was the bottleneck"
            )
        return None


def _added(first: str, *others: str) -> str:
    histogram: Any = HdrHistogram.decode(first)  # type: ignore[no-untyped-call]
    for one in others:
        histogram.decode_and_add(one)
    return str(histogram.encode().decode())


def percentiles_ms(encoded: str, points: Sequence[float]) -> list[float]:
    """
    Read percentiles out of an encoded histogram; zeros when nothing was recorded.
    """
    histogram: Any = HdrHistogram.decode(encoded)  # type: ignore[no-untyped-call]
    if not histogram.get_total_count():
        return [0.0 for _ in points]
    return [round(histogram.get_value_at_percentile(point) / 1000, 3) for point in points]


def read_result(text: str) -> LoadResult:
    """
    Read a result file. Raises StackError when it is not of that form.
    """
    try:
        return LoadResult.model_validate_json(text)
    except ValidationError as err:
        raise StackError(f"the load generator wrote no result: {err}", hint="See its log.") from err
