"""
Owns the check of Retry-After. Its waiting begins with the first check of a scene, and goes on beside the others.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import replace
from typing import cast

from pydantic import JsonValue

from playbook.evidence.result import Observation
from playbook.limits.asking import declared, make_prober
from playbook.limits.findings import found_of, limit_names, trace_seen
from playbook.limits.judging import Trace, WaitTold, judge_wait
from playbook.limits.waiting import wait_as_told
from playbook.proof.check import Finding, check
from playbook.proof.scene import Scene

__all__ = ["begin_waits", "finish_waits", "retry_after_truthful"]

WAITS = "limits.waits"


def begin_waits(scene: Scene) -> list[Future[WaitTold]]:
    """
    Begin to wait as Retry-After says, if that has not begun: other questions are asked meanwhile, by other callers.
    """

    def begin() -> list[Future[WaitTold]]:
        prober = make_prober(scene)
        limits = declared(scene).limits
        pool = ThreadPoolExecutor(len(limits))
        waits = [pool.submit(wait_as_told, prober, limit) for limit in limits]
        pool.shutdown(wait=False)
        return waits

    return scene.once(WAITS, begin)


def finish_waits(scene: Scene) -> None:
    """
    Let the waits that have begun come to their end, before something happens that they must not see.
    """
    begun = cast("list[Future[WaitTold]]", scene.memo.get(WAITS, []))
    wait(begun)


@check(
    "limits.retry-after.truthful",
    title="Retry-After is true: who obeys is admitted, who comes a second early is not",
    phase="50",
    severity="medium",
    why="Told too early, well-behaved clients are refused again and again; told too late, they stay away for nothing.",
    how="Three fresh callers: one obeys, one comes a second early, one is told in mid-window and obeys then.",
    remedy="Round the seconds to wait up, over every window that is full; never a date of the server's own epoch.",
    population=limit_names,
    on="copy",
    dear=True,
)
def retry_after_truthful(scene: Scene) -> Iterator[Finding]:
    """Obey Retry-After, and come early."""
    waits = begin_waits(scene)
    del scene.memo[WAITS]  # asked again in this scene, it is measured again
    for limit, waited in zip(declared(scene).limits, waits, strict=True):
        told = waited.result()
        word, why = judge_wait(told)
        if word is None:
            yield Finding.undecided(why or "", subject=limit.id)
            continue
        seen = [trace_seen(limit, told.spent, "obeying")]
        seen.append(Observation(role="obeying", request="Retry-After", value=told.spent.last.wait))
        for role, one in (("obeying", told.obeyed), ("early", told.early), ("mid-window", told.mid)):
            if one is not None:
                seen.append(trace_seen(limit, Trace((one,)), role))
        allowed: list[JsonValue] = ["truthful"] if limit.retry_after == "required" else ["truthful", "absent"]
        yield replace(found_of(scene, limit, expected=allowed, actual=word, seen=seen), operator="in")
