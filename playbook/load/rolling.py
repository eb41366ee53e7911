"""
Owns the rolling restart under load: each instance in turn goes and comes back, and what clients lost is counted.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from playbook.load.departure import Departure, HeldRequest, watch_departure
from playbook.load.generator import generating
from playbook.load.plan import Plan
from playbook.load.pressing import Door, Pressed
from playbook.load.result import LoadResult

__all__ = ["Restarted", "Rolling", "RollingResult", "interrupt_one", "loss_bound", "restart_under_load"]

LEAD_S = 0.5
SETTLE_S = 0.25


class Rolling(Protocol):
    """
    A service behind one door whose instances can be restarted one at a time.
    """

    @property
    def instances(self) -> int: ...

    @property
    def ready(self) -> str:
        """The path of readiness."""
        ...

    @property
    def live(self) -> str:
        """The path of liveness, which costs little."""
        ...

    def address(self, instance: int) -> str:
        """The instance's own address, past the door."""
        ...

    def restart(self, instance: int) -> None:
        """Send SIGTERM, wait until it is gone, start it, wait until it is ready."""
        ...

    def interrupt(self, instance: int, watch: Callable[[], object]) -> None:
        """Send SIGINT, watch it leave, start it, wait until it is ready."""
        ...


@dataclass(frozen=True, slots=True)
class Restarted:
    """
    One restart, in seconds since the first arrival, and how the instance left.
    """

    instance: int
    from_s: float
    to_s: float
    departure: Departure


@dataclass(frozen=True, slots=True)
class RollingResult:
    """
    The load's own result, and the restarts during it; `interrupted` is how an instance left by SIGINT, after the load.
    """

    load: LoadResult
    restarts: tuple[Restarted, ...]
    interrupted: Departure | None = None

    @property
    def sent(self) -> int:
        """
        Count the requests of the declared traffic, and those that were held in flight.
        """
        return self.load.sent + len(self.restarts)

    @property
    def causes(self) -> dict[str, int]:
        """
        Count the losses by what came instead; `in flight` are those held requests that were cut.
        """
        cut = sum(one.departure.cut for one in self.restarts)
        left = {f"while leaving, {name}": count for name, count in self.pressed.causes.items()}
        return {**self.load.causes(), **left, **({"in flight": cut} if cut else {})}

    @property
    def pressed(self) -> Pressed:
        """
        Sum up what came of asking in a loop while instances left; these requests are not of the declared traffic.
        """
        each = [one.departure.pressed for one in self.restarts]
        return Pressed(sum(one.sent for one in each), sum((one.causes for one in each), Counter()))

    @property
    def lost(self) -> int:
        """
        Count all losses.
        """
        return self.load.lost + self.causes.get("in flight", 0) + self.pressed.causes.total()


def restart_under_load(
    rolling: Rolling,
    plan: Plan,
    held: HeldRequest,
    *,
    requests_least: int,
    pause: Callable[[float], None] = time.sleep,
) -> RollingResult:
    """
    Restart every instance in turn while the plan's requests arrive, and again until `requests_least` were sent.

    Restarts the service's instances. The load is bounded by the plan: when that ends first, the rest is not done.
    """
    restarts = []
    door = Door(plan.address, plan.port, rolling.live)
    with generating(plan) as generator:
        begun = generator.wait_until_begun()
        pause(LEAD_S)
        while True:
            for instance in range(rolling.instances):
                started = time.monotonic()
                with watch_departure(rolling.address(instance), ready=rolling.ready, held=held, door=door) as departure:
                    rolling.restart(instance)
                    seen = departure()
                restarts.append(Restarted(instance, started - begun, time.monotonic() - begun, seen))
                pause(SETTLE_S)
            elapsed = time.monotonic() - begun
            round_s = elapsed - restarts[-rolling.instances].from_s
            if elapsed * plan.rate_per_s >= requests_least or elapsed + round_s > plan.duration_s:
                break
        generator.stop()
        return RollingResult(generator.result(), tuple(restarts))


def interrupt_one(rolling: Rolling, held: HeldRequest) -> Departure:
    """
    Tell one instance to leave by SIGINT with a request in flight; it is ready again afterwards.
    """
    with watch_departure(rolling.address(0), ready=rolling.ready, held=held) as departure:
        rolling.interrupt(0, departure)
        return departure()


def loss_bound(sent: int) -> float:
    """
    Share of losses that none among `sent` still allows, at 95 % confidence: the rule of three.

    3000 requests without a loss are needed to mean 99.9 % (FACTS §6).
    """
    return min(1.0, 3 / sent) if sent else 1.0
