"""
Owns the checks of phase 50 that make the store fail, and the one that reads in it which windows are kept.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import redis
from pydantic import JsonValue

from playbook.errors import Unavailable
from playbook.evidence.result import Observation
from playbook.limits.asking import declared, make_prober, partial_strength
from playbook.limits.declaration import Declaration, Limit, Store
from playbook.limits.experiments import Prober
from playbook.limits.judging import judge_without_store
from playbook.limits.long_windows import kept_by_clock
from playbook.limits.wire import Line
from playbook.proof.check import Finding, check
from playbook.proof.scene import Scene
from playbook.stack.protocol import Fault, Kill, Pause

__all__ = ["STORE_CHECKS"]

BACK_WITHIN_S = 2.5
NO_CLOCK = "the time to live of a counter, not a wait of that length"


def _limits(scene: Scene) -> list[str]:
    return [limit.id for limit in declared(scene).limits]


def _need_store(declaration: Declaration) -> Store:
    if declaration.store is None:
        raise Unavailable("no store is declared", hint="Write `store:` with what the service does without it.")
    return declaration.store


def _without(scene: Scene, fault: Fault) -> Iterator[Finding]:
    """
    Make the store fail, ask each limit N + 2 times, heal it, and count once more.
    """
    declaration = declared(scene)
    store = _need_store(declaration)
    scene.need("redis")
    prober = make_prober(scene)
    part = partial_strength(scene)
    limits = declaration.limits
    callers = [prober.callers.fresh(limit) for limit in limits]
    with ThreadPoolExecutor(len(limits)) as pool:
        with scene.faults.fault(fault):
            down = list(pool.map(prober.ask_without_store, limits, callers))
        until = time.monotonic() + BACK_WITHIN_S
        again = list(pool.map(lambda limit: _counted_again(prober, limit, until), limits))
    for limit, seen, back in zip(limits, down, again, strict=True):
        word = judge_without_store(seen, limit.binding)
        points: list[JsonValue] = [[one.at_s, one.status, one.admitted] for one in seen]
        slowest = max(one.took_s for one in seen)
        yield Finding(
            subject=limit.id,
            expected=[store.when_down, limit.binding.requests],
            actual=[word, back],
            observations=(
                Observation(
                    role="caller, without the store",
                    request=f"{limit.method} {limit.path}",
                    value=points,
                    unit="[s, status, admitted]",
                ),
                Observation(role="caller, without the store", request="slowest answer", value=slowest, unit="s"),
                Observation(role="another caller, afterwards", request="admitted of N + 1", value=back),
            ),
            strength="partial" if part else "strong",
            strength_reason=part,
        )


def _counted_again(prober: Prober, limit: Limit, until: float) -> int:
    """
    Count until it is right again, at most until the deadline.
    """
    while True:
        admitted = prober.count(limit).admitted if not prober.instances[1:] else prober.share(limit).admitted
        if admitted == limit.binding.requests or time.monotonic() > until:
            return admitted
        time.sleep(0.2)


@check(
    "limits.store.dead",
    title="Without its store the limiter does as declared, and counts right when the store is back",
    phase="50",
    severity="high",
    why="A limiter that turns into 500s takes the service down with its cache; one that opens is off when it matters.",
    how="Kill the store, ask N + 2 times as a fresh caller of each limit, all limits at once, start it, and count"
    " again over the instances.",
    remedy="Catch the store's errors in one place, and do there what is declared: closed, open, or a local bound.",
    population=_limits,
    on="copy",
    dear=True,
)
def store_dead(scene: Scene) -> Iterator[Finding]:
    """Kill the store and ask on."""
    yield from _without(scene, Kill("redis"))


@check(
    "limits.store.hung",
    title="With its store hanging the limiter answers in bounded time, as declared",
    phase="50",
    severity="high",
    why="A store that accepts connections and says nothing blocks every request behind it, unless time is bounded.",
    how="Freeze the store, ask N + 2 times as a fresh caller of each limit, all limits at once (2 s an answer at most),"
    " let it go on.",
    remedy="Give connecting and every command a short time-out, and leave a store alone for a while that failed.",
    population=_limits,
    on="copy",
    dear=True,
)
def store_hung(scene: Scene) -> Iterator[Finding]:
    """Freeze the store and ask on."""
    yield from _without(scene, Pause("redis"))


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
    population=_limits,
    on="copy",
    dear=True,
)
def windows_kept(scene: Scene) -> Iterator[Finding]:
    """Read the counters' time to live, and wait by the clock."""
    section = scene.target.limits
    if section is None or section.scale == 1:
        raise Unavailable("the windows are the declared ones, and were counted in", hint="")
    source = scene.target.service.found.source if scene.target.service else None
    prefix = source.env_prefix if source else ""
    prober = make_prober(scene)
    with (
        redis.Redis.from_url(scene.store.dsn("admin"), socket_timeout=2, socket_connect_timeout=2) as store,
        scene.launcher.serving({f"{prefix}LIMITS_SCALE": "1"}) as url,
    ):
        for limit in declared(scene, scaled=False).limits:
            caller = prober.callers.fresh(limit)
            before = _lives(store)
            with Line(scene.door(url), caller.address) as line:
                status = line.ask(caller.request(limit)).status
            touched = [life for key, life in _lives(store).items() if life > before.get(key, 0)]
            kept = [w.seconds for w in limit.windows if _keeps(touched, w.seconds)]
            lives: list[JsonValue] = [round(life / 1000, 1) for life in sorted(touched)]
            seen = [
                Observation(role="caller", request=f"{limit.method} {limit.path}", value=status),
                Observation(role="admin of the store", query="PTTL of the keys touched", value=lives, unit="s"),
            ]
            if scene.site_clock is not None:
                waited = kept_by_clock(url, prober, limit, scene.clock)
                seen.append(
                    Observation(role="caller", request="windows waited out by the clock", value=[*waited], unit="s")
                )
                kept = [seconds for seconds in kept if seconds in waited]
            yield Finding(
                subject=limit.id,
                expected=[window.seconds for window in limit.windows],
                actual=[*kept],
                observations=tuple(seen),
                strength="partial" if scene.site_clock is None else "strong",
                strength_reason=NO_CLOCK if scene.site_clock is None else None,
            )


def _lives(store: redis.Redis) -> dict[bytes, int]:
    """
    Read the remaining milliseconds of every key that has an end. Read-only.
    """
    keys = list(store.scan_iter(count=1000))
    with store.pipeline(transaction=False) as pipe:
        for key in keys:
            pipe.pttl(key)
        lives = pipe.execute()
    return {key: life for key, life in zip(keys, lives, strict=True) if life > 0}


def _keeps(touched_ms: list[int], seconds: int) -> bool:
    return any(0 <= length * 1000 - life <= 2000 for life in touched_ms for length in (seconds, 2 * seconds))  # noqa: PLR2004 (two seconds' slack)


STORE_CHECKS = (store_dead, store_hung, windows_kept)
