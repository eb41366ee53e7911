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
from playbook.load.volume import Volume, volume_of
from playbook.proof.scene import Scene
from playbook.service.measuring import measuring, read_busy_share

__all__ = ["Once", "Steady", "doubt_of", "measure_rolling", "measure_steady", "need_p95_ms"]

Measured = TypeVar("Measured")
BUSY_MOST = 0.5


@dataclass(frozen=True, slots=True)
class Steady:
    """
    The last of some runs of steady load. Only a run that could decide nothing is repeated; what it lacked is kept.
    """

    result: LoadResult
    volume: Volume
    callers: tuple[str, ...]
    busy_before: float
    unfit: tuple[str, ...]

    @property
    def undecided(self) -> str | None:
        """
        Why not even the last run may be judged, or None.
        """
        return self.unfit[-1] if len(self.unfit) == self.volume.attempts else None


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
    Send the target's traffic at the profile's rate; again while that can decide nothing, at most thrice.

    See `doubt_of` for a miss on a busy machine.
    """
    volume = volume_of(scene)
    plan = _plan(scene, rate_per_s=volume.rate_per_s, duration_s=volume.duration_s)
    p95_ms = need_p95_ms(scene)
    unfit: list[str] = []
    with measuring():
        while True:
            busy = read_busy_share()
            result = run_load(plan)
            reason = result.unfit(declared_s=plan.duration_s, late_limit_ms=LATE_SHARE * p95_ms)
            reason = reason or doubt_of(result, busy=busy, p95_ms=p95_ms)
            if reason is not None:
                unfit.append(reason)
            if reason is None or len(unfit) == volume.attempts:
                return Steady(result, volume, tuple(one.name for one in plan.callers), busy, tuple(unfit))


def doubt_of(result: LoadResult, *, busy: float, p95_ms: float) -> str | None:
    """
    Say why a miss decides nothing, or None: others may have made the service slow who were busy before it was asked.

    They make a tail long. Where even the fastest tenth missed, it was not they.
    """
    seen_ms = result.percentile_of_sent_ms(95)
    if busy > BUSY_MOST and seen_ms is not None and result.percentile_ms(10) <= p95_ms < seen_ms:
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
