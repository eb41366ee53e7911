"""
Owns how much load a profile sends, and what a measurement of that size can mean.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from playbook.proof.scene import Scene
from playbook.target.scenario import Profile

__all__ = ["VOLUMES", "Volume", "volume_of", "weakness_of"]

REQUESTS_FOR_P99 = 1000
"""Ten requests lie above the 99th percentile of a thousand."""


@dataclass(frozen=True, slots=True)
class Volume:
    """
    Rates, times, and the number of requests that a rolling restart must have seen at least.

    `interrupts`: one instance is also told to leave by SIGINT. `presses`: the front door is asked in a loop while one
    leaves.
    """

    rate_per_s: float
    duration_s: float
    restart_rate_per_s: float
    restart_requests: int
    restart_most_s: float
    interrupts: bool = True
    presses: bool = True

    @property
    def requests(self) -> int:
        return int(self.rate_per_s * self.duration_s)


def weakness_of(requests: int, duration_s: float) -> str | None:
    """
    Say why percentiles of so few requests are no more than a hint, or None.
    """
    if requests >= REQUESTS_FOR_P99:
        return None
    return f"{requests} requests in {duration_s:.3g} s: too few for more than a rough p95"


VOLUMES: Mapping[Profile, Volume] = {
    "quick": Volume(
        rate_per_s=30,
        duration_s=3,
        restart_rate_per_s=30,
        restart_requests=0,
        restart_most_s=60,
        interrupts=False,
        presses=False,
    ),
    "standard": Volume(rate_per_s=30, duration_s=40, restart_rate_per_s=40, restart_requests=3000, restart_most_s=200),
    "quarterly": Volume(
        rate_per_s=30, duration_s=300, restart_rate_per_s=40, restart_requests=6000, restart_most_s=300
    ),
}

CONTROL = Volume(rate_per_s=30, duration_s=5, restart_rate_per_s=30, restart_requests=300, restart_most_s=60)
"""Under a fault the question is whether it shows, not how little it loses: that takes fewer requests."""


def volume_of(scene: Scene) -> Volume:
    """
    Say how much load a scene gets: that of its profile, under a fault no more than shows it.
    """
    whole = VOLUMES[scene.profile]
    return CONTROL if scene.under_fault and whole.requests > CONTROL.requests else whole
