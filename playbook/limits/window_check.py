"""
Owns the check of the declared windows: how long the store keeps counters, and where a clock can be moved how they end.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import redis
from pydantic import JsonValue

from playbook.errors import Unavailable
from playbook.evidence.result import Observation
from playbook.limits.asking import declared, make_prober, open_store
from playbook.limits.callers import Callers
from playbook.limits.counters import kept_windows, read_lives
from playbook.limits.declaration import Limit
from playbook.limits.findings import limit_names
from playbook.limits.long_windows import kept_by_clock
from playbook.limits.wait_check import finish_waits
from playbook.limits.wire import Line
from playbook.proof.check import Finding, check
from playbook.proof.scene import Scene

__all__ = ["windows_kept"]

NO_CLOCK = "the time to live of a counter, not a wait of that length"


@check(
    "limits.windows.kept",
    title="The store keeps counters for as long as the declared windows",
    phase="50",
    severity="medium",
    why="A rehearsal with short windows proves how is counted, not for how long.",
    how="Start one more instance with the declared windows, ask once, and read the time to live of the counters that"
    " were touched: W, or 2 W for a sliding counter. Where app and store have a clock that moves, fill each window too,"
    " and wait for its end by that clock.",
    remedy="Enforce the declared seconds; look for a unit mistaken.",
    population=limit_names,
    on="copy",
    dear=True,
)
def windows_kept(scene: Scene) -> Iterator[Finding]:
    """Read the counters' time to live, and wait by the clock."""
    section = scene.target.limits
    if section is None or section.scale == 1:
        raise Unavailable("the windows are the declared ones, and were counted in", hint="")
    if scene.site_clock is not None:
        finish_waits(scene)
    prober = make_prober(scene)
    declaration = declared(scene, scaled=False)
    with (
        open_store(scene) as store,
        scene.launcher.serving({scene.setting("LIMITS_SCALE"): "1"}) as address,
    ):
        url = scene.door(address)
        read = [(limit, *_read(url, limit, prober.callers, store)) for limit in declaration.limits]
        waited: dict[str, dict[int, bool | None]] = {}
        if scene.site_clock is not None:
            waited = kept_by_clock(url, prober.callers, declaration.limits, scene.clock)
    for limit, kept, seen in read:
        yield _finding(limit, kept, seen, waited.get(limit.id))


def _read(url: str, limit: Limit, callers: Callers, store: redis.Redis) -> tuple[list[int], list[Observation]]:
    """
    Ask once, and say which windows' counters live as long.
    """
    caller = callers.fresh(limit)
    before = read_lives(store)
    with Line(url, caller.address) as line:
        status = line.must_answer(caller.request(limit)).status
    kept, touched = kept_windows(before, read_lives(store), limit.windows)
    lives: list[JsonValue] = [round(life / 1000, 1) for life in touched]
    return kept, [
        Observation(role="caller", request=f"{limit.method} {limit.path}", value=status),
        Observation(role="admin of the store", query="PTTL of the keys touched", value=lives, unit="s"),
    ]


def _finding(
    limit: Limit, kept: list[int], seen: list[Observation], waited: Mapping[int, bool | None] | None
) -> Finding:
    if waited is not None:
        late = [seconds for seconds, held in waited.items() if held is None]
        if late:
            return Finding.undecided(f"asked too late to see the windows of {late} s shut", subject=limit.id)
        held: list[JsonValue] = [seconds for seconds, open_in_time in waited.items() if open_in_time]
        seen = [*seen, Observation(role="caller", request="windows waited out by the clock", value=held, unit="s")]
        kept = [seconds for seconds in kept if waited[seconds]]
    return Finding(
        subject=limit.id,
        expected=[window.seconds for window in limit.windows],
        actual=[*kept],
        observations=tuple(seen),
        strength="partial" if waited is None else "strong",
        strength_reason=NO_CLOCK if waited is None else None,
    )
