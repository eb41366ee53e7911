"""
Owns turning a run of steady load into findings: against the objectives, and tenant by tenant. It measures nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from playbook.evidence.result import Observation
from playbook.load.result import LoadResult
from playbook.proof.check import Finding
from playbook.target.target import Objectives

__all__ = ["SPECTRUM", "canary_findings", "slo_findings", "slo_names"]

SPECTRUM = "latency from the intended start, by percentile"
"""The observation that pictures are drawn from."""

_NAMED = 8


def slo_names(objectives: Objectives) -> list[str]:
    """
    Name the declared objectives that a steady load can be held to.
    """
    return [name for name in ("error_rate", "p95_ms") if getattr(objectives, name) is not None]


def slo_findings(
    result: LoadResult, objectives: Objectives, *, unfit: str | None, weakness: str | None
) -> Iterator[Finding]:
    """
    Compare a run with the objectives that are declared.

    `unfit` says why the run may not be judged, `weakness` why a judgement is weak. The p95 is that of all requests
    sent, where a lost one is slower than any; it is undecided where that request was lost.
    """
    p95_ms = result.percentile_of_sent_ms(95)
    actual = {"p95_ms": p95_ms and round(p95_ms, 1), "error_rate": round(result.error_rate, 5)}
    for name in slo_names(objectives):
        if unfit is not None:
            yield Finding.undecided(unfit, subject=name)
            continue
        if actual[name] is None:
            reason = f"{result.lost} of {result.sent} requests were lost: the 95th of a hundred was not served"
            yield Finding.undecided(reason, subject=name)
            continue
        yield Finding(
            subject=name,
            expected=getattr(objectives, name),
            operator="le",
            actual=actual[name],
            strength="partial" if weakness else "strong",
            strength_reason=weakness,
            observations=_latencies(result, objectives) if name == "p95_ms" else _losses(result),
        )


def canary_findings(runs: Sequence[LoadResult], callers: Sequence[str]) -> Iterator[Finding]:
    """
    Say for each caller which other tenants' canaries its responses held; one that never saw its own proves nothing.
    """
    for caller in callers:
        seen = [one for run in runs for one in run.foreign if one.caller == caller]
        foreign = sorted({f"{one.canary} in {one.operation}" for one in seen})
        own = sum(run.own.get(caller, 0) for run in runs)
        if not foreign and not own:
            yield Finding.undecided("no response held even its own canary", subject=caller)
            continue
        yield Finding(
            subject=caller,
            operator="empty",
            actual=[*foreign[:_NAMED]],
            observations=(Observation(role=caller, request="responses with its own canary", value=own),),
        )


def _latencies(result: LoadResult, objectives: Objectives) -> tuple[Observation, ...]:
    slow_ms: dict[int, int] = {}
    for number, _, _, slowest_us in result.bins:
        if slowest_us / 1000 > (objectives.p95_ms or 0):
            second = int(number * result.bin_s)
            slow_ms[second] = max(slow_ms.get(second, 0), round(slowest_us / 1000))
    return (
        Observation(role="client", request=SPECTRUM, value=[*result.spectrum()], unit="%, ms"),
        Observation(
            role="client", request="slowest by second, above the objective", value=[*map(list, slow_ms.items())]
        ),
        Observation(role="client", request="requests sent", value=result.sent),
        Observation(role="generator", request="latest arrival", value=round(result.late_max_ms, 1), unit="ms"),
        Observation(role="generator", request="share of a core", value=round(result.cpu_s / result.ran_s, 3)),
    )


def _losses(result: LoadResult) -> tuple[Observation, ...]:
    return (
        Observation(role="client", request="requests sent", value=result.sent),
        Observation(role="client", request="lost, by cause", value={**result.causes()}),
        Observation(role="client", request="answers 429: no rate limit is loaded", value=result.outcomes.get("429", 0)),
    )
