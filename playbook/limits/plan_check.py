"""
Owns the check of the plans' own files: every limit of each, with the numbers and windows that the plan declares.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import redis
from pydantic import JsonValue

from playbook.errors import Unavailable
from playbook.evidence.result import Observation
from playbook.limits.asking import make_prober, open_store
from playbook.limits.callers import Callers
from playbook.limits.clock_rounds import ClockTime, by_clock
from playbook.limits.findings import trace_seen
from playbook.limits.judging import TOO_MANY, judge_count
from playbook.limits.plan_files import Enforced, PlanFile, fill, filled_and_waited, read_plans
from playbook.limits.wait_check import finish_waits
from playbook.proof.check import Finding, check
from playbook.proof.scene import Scene

__all__ = ["plans_enforced"]

FEW = 2
"""So many files are loaded in profile quick, and under a fault, which shows in any."""


def _plans(scene: Scene) -> list[PlanFile]:
    section = scene.target.limits
    if section is None or not section.plans:
        raise Unavailable("the target names no further files of limits", hint="Write `limits: {plans: […]}`.")
    few = scene.profile == "quick" or scene.under_fault
    files = section.plans[:FEW] if few else section.plans
    return scene.once("limits.plans", lambda: read_plans(files))


@check(
    "limits.plans.enforced",
    title="Each limit of each plan's file is enforced as it is declared",
    phase="50",
    severity="high",
    why="What a plan promises is a number and a window of its own; six limits with short windows are not these.",
    how="Start one more instance for each file, with the declared windows; as a fresh caller of each limit ask N + 1"
    " times, then what the file exempts, and read how long its counters live. Where app and store have a clock that"
    " moves, see the window that was filled shut until its end and open after it.",
    remedy="Enforce the file that is declared; look for a limit that no route carries, or a unit mistaken.",
    population=lambda scene: [plan.subject(limit) for plan in _plans(scene) for limit in plan.declaration.limits],
    on="copy",
    dear=True,
)
def plans_enforced(scene: Scene) -> Iterator[Finding]:
    """Fill each limit of each file, and wait where the clock can be moved."""
    plans = _plans(scene)
    if scene.site_clock is not None:
        finish_waits(scene)
    callers = make_prober(scene).callers
    with (
        ExitStack() as stack,
        open_store(scene) as store,
    ):
        urls = _serve(scene, plans, stack)
        seen = _enforced(scene, plans, urls, callers, store)
    for subject, one in seen.items():
        yield _finding(scene, subject, one)


def _serve(scene: Scene, plans: list[PlanFile], stack: ExitStack) -> Mapping[str, str]:
    """
    Start an instance for each file, all at once; each is stopped with the stack.
    """

    def begin(plan: PlanFile) -> str:
        told = {scene.setting("LIMITS_FILE"): str(plan.path), scene.setting("LIMITS_SCALE"): "1"}
        return scene.door(stack.enter_context(scene.launcher.serving(told)))

    with ThreadPoolExecutor(len(plans)) as pool:
        return dict(zip((plan.name for plan in plans), pool.map(begin, plans), strict=True))


def _enforced(
    scene: Scene, plans: list[PlanFile], urls: Mapping[str, str], callers: Callers, store: redis.Redis
) -> dict[str, Enforced]:
    """
    Fill every limit of every file; wait all of them out together, where the clock can be moved.
    """
    everything = [(plan, limit) for plan in plans for limit in plan.declaration.limits]
    if scene.site_clock is None:
        seen = [
            fill(urls[plan.name], limit, callers, store, exempt=plan.declaration.exempt) for plan, limit in everything
        ]
    else:
        clock = ClockTime(scene.clock)
        waits = [
            filled_and_waited(urls[plan.name], limit, callers, store, exempt=plan.declaration.exempt, clock=clock)
            for plan, limit in everything
        ]
        seen = by_clock(clock, waits)
    return {plan.subject(limit): one for (plan, limit), one in zip(everything, seen, strict=True)}


def _finding(scene: Scene, subject: str, one: Enforced) -> Finding:
    judged = judge_count(one.trace, one.limit.binding)
    if judged.inconclusive is not None:
        return Finding.undecided(judged.inconclusive, subject=subject)
    if one.waited == "not asked in time":
        return Finding.undecided("asked too late to see the window shut", subject=subject)
    windows = [window.seconds for window in one.limit.windows]
    lives: list[JsonValue] = [round(life / 1000, 1) for life in one.lives_ms]
    expected: dict[str, JsonValue] = {
        "admitted": one.limit.binding.requests,
        "refused": TOO_MANY,
        "kept_s": [*windows],
        "exempt but refused": [],
    }
    actual: dict[str, JsonValue] = {
        "admitted": judged.admitted,
        "refused": judged.refused_status,
        "kept_s": [*one.kept_s],
        "exempt but refused": [*one.shut],
    }
    if one.waited is not None:
        expected["window"], actual["window"] = "open when told", one.waited
    weakness = _weakness(scene, windows, waited=one.waited is not None)
    return Finding(
        subject=subject,
        expected=expected,
        actual=actual,
        observations=(
            trace_seen(one.limit, one.trace, "caller"),
            Observation(role="admin of the store", query="PTTL of the keys touched", value=lives, unit="s"),
        ),
        strength="partial" if weakness else "strong",
        strength_reason=weakness,
    )


def _weakness(scene: Scene, windows: list[int], *, waited: bool) -> str | None:
    files = len(scene.target.limits.plans) if scene.target.limits else 0
    if not waited:
        some = f"; profile quick loads {FEW} of {files} files" if scene.profile == "quick" else ""
        return f"the time to live of a counter, not a wait of that length{some}"
    if len(windows) > 1:
        return "the window that fills first was waited out; of the others the counter's time to live was read"
    return None
