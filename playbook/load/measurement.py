"""
Owns measuring a scene: the steady load once, and once the rolling restart; each check reads a measurement once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Generic, TypeVar, cast

from playbook.errors import Unavailable
from playbook.load.callers import log_in_callers, read_tenant_users
from playbook.load.departure import HeldRequest
from playbook.load.generator import run_load
from playbook.load.plan import Arrival, Plan, loopback_of
from playbook.load.result import LATE_SHARE, LoadResult
from playbook.load.rolling import RollingResult, interrupt_one, restart_under_load
from playbook.load.stack_rolling import StackRolling, front_door
from playbook.load.volume import VOLUMES, volume_of, weakness_of
from playbook.proof.scene import Scene
from playbook.service.measuring import measuring, read_busy_share

__all__ = ["Once", "Steady", "doubt_of", "measure_rolling", "measure_steady", "need_p95_ms", "send_steady"]

Measured = TypeVar("Measured")
BUSY_MOST = 0.5
ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class Steady:
    """
    What steady load showed: `judged` is held to the objectives, unless `undecided` says why it may not be.

    `runs` are all that were sent: what a response held was seen, whether or not the run could decide about latencies.
    """

    judged: LoadResult
    undecided: str | None
    runs: tuple[LoadResult, ...]
    callers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Once(Generic[Measured]):
    """
    One measurement of a scene that several checks read, each once.

    A check that is asked again gets a new measurement: an answer about the past is no observation.
    """

    name: str
    measure: Callable[[Scene], Measured]

    def read(self, scene: Scene, reader: str) -> Measured:
        """
        Measure, unless it was measured for another reader who asked just before.
        """
        kept = cast("tuple[Measured, set[str]] | None", scene.memo.pop(self.name, None))
        if kept is None or reader in kept[1]:
            kept = (self.measure(scene), set())
        kept[1].add(reader)
        scene.memo[self.name] = kept
        return kept[0]


def measure_steady(scene: Scene) -> Steady:
    """
    Send the target's traffic at the profile's rate, as `send_steady` does.
    """
    volume = volume_of(scene)
    plan = _plan(scene, rate_per_s=volume.rate_per_s, duration_s=volume.duration_s)
    p95_ms = need_p95_ms(scene)
    with measuring():
        return send_steady(plan, p95_ms, longer_s=VOLUMES["standard"].duration_s)


def send_steady(plan: Plan, p95_ms: float, *, longer_s: float) -> Steady:
    """
    Send a plan's traffic; again while that can decide nothing, at most thrice.

    One stall of the machine is a long tail among few requests. Where no more than the tail of a short run missed, the
    same is sent for `longer_s` besides, and all is judged together: a double sampling plan (ISO 2859-1). See `doubt_of`
    for a miss on a busy machine.
    """
    runs, undecided = _run_until_fit(plan, p95_ms)
    judged = runs[-1]
    short = weakness_of(judged.sent, judged.arrivals_s) is not None
    if undecided is None and short and _tail_missed(judged, p95_ms):
        more, undecided = _run_until_fit(plan.model_copy(update={"duration_s": longer_s}), p95_ms)
        judged, runs = judged.with_later(more[-1]), (*runs, *more)
    return Steady(judged, undecided, runs, tuple(one.name for one in plan.callers))


def _run_until_fit(plan: Plan, p95_ms: float) -> tuple[tuple[LoadResult, ...], str | None]:
    """
    Run a plan until a run may be judged; return all runs, and why not even the last may be, or None.
    """
    runs: list[LoadResult] = []
    reason: str | None = None
    for _ in range(ATTEMPTS):
        busy = read_busy_share()
        runs.append(run_load(plan))
        reason = runs[-1].unfit(declared_s=plan.duration_s, late_limit_ms=LATE_SHARE * p95_ms)
        reason = reason or doubt_of(runs[-1], busy=busy, p95_ms=p95_ms)
        if reason is None:
            break
    return tuple(runs), reason


def _tail_missed(result: LoadResult, p95_ms: float) -> bool:
    """
    Say whether the p95 was missed though the fastest tenth did not: a stall makes a tail, not all requests, slow.
    """
    seen_ms = result.percentile_of_sent_ms(95)
    return seen_ms is not None and result.percentile_ms(10) <= p95_ms < seen_ms


def doubt_of(result: LoadResult, *, busy: float, p95_ms: float) -> str | None:
    """
    Say why a miss decides nothing, or None: others may have made the service slow who were busy before it was asked.
    """
    if busy > BUSY_MOST and _tail_missed(result, p95_ms):
        return f"{busy:.0%} of the machine was busy with other work before the first request"
    return None


def measure_rolling(scene: Scene) -> RollingResult:
    """
    Restart the service's instances one after another under the target's traffic. The instances are ready again after.
    """
    rolling = StackRolling(scene)
    volume = volume_of(scene)
    plan = _plan(scene, rate_per_s=volume.restart_rate_per_s, duration_s=volume.restart_most_s)
    login = scene.target.api.login if scene.target.api else None
    if login is None:
        raise Unavailable("the target names no request with a body", hint="Write api.login.")
    held = HeldRequest(login.path, dict.fromkeys(login.body, "held"))
    with measuring():
        seen = restart_under_load(rolling, plan, held, requests_least=volume.restart_requests, presses=volume.presses)
        return replace(seen, interrupted=interrupt_one(rolling, held)) if volume.interrupts else seen


def need_p95_ms(scene: Scene) -> float:
    """
    Read the target's p95. Raises Unavailable when it declares none.
    """
    if scene.target.objectives.p95_ms is None:
        raise Unavailable("the target declares no p95_ms", hint="Write objectives.p95_ms.")
    return scene.target.objectives.p95_ms


def _plan(scene: Scene, *, rate_per_s: float, duration_s: float) -> Plan:
    traffic = scene.target.traffic
    if traffic is None or not traffic.operations:
        raise Unavailable("the target declares no traffic", hint="Write traffic.operations.")
    door = front_door(scene)
    address, port = loopback_of(door)
    users = read_tenant_users(scene)
    return Plan(
        address=address,
        port=port,
        rate_per_s=rate_per_s,
        duration_s=duration_s,
        operations=tuple(Arrival.of(one) for one in traffic.operations),
        callers=log_in_callers(scene, users, address=door),
        canary=traffic.canary,
        seed=scene.seed,
    )
