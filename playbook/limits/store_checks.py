"""
Owns the checks of phase 50 that make the store fail.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from pydantic import JsonValue

from playbook.errors import Unavailable
from playbook.evidence.result import Observation
from playbook.limits.asking import declared, make_prober
from playbook.limits.callers import Caller
from playbook.limits.declaration import Declaration, Limit, Store
from playbook.limits.experiments import Prober
from playbook.limits.findings import found_of, limit_names
from playbook.limits.judging import judge_without_store
from playbook.proof.check import Finding, check
from playbook.proof.scene import Scene
from playbook.stack.protocol import Fault, Kill, Pause

__all__ = ["STORE_CHECKS"]

BACK_WITHIN_S = 2.5


def _need_store(declaration: Declaration) -> Store:
    if declaration.store is None:
        raise Unavailable("no store is declared", hint="Write `store:` with what the service does without it.")
    return declaration.store


def _without(scene: Scene, fault: Fault) -> Iterator[Finding]:
    """
    Make the store fail, ask each limit N + 2 times, heal it, and count once more.

    Who did without the store what was not declared is red already, and is not counted again.
    """
    declaration = declared(scene)
    store = _need_store(declaration)
    scene.need("redis")
    prober = make_prober(scene)
    limits = declaration.limits
    callers = [_fresh(prober, limit) for limit in limits]
    with ThreadPoolExecutor(len(limits)) as pool:
        with scene.faults.fault(fault):
            down = list(pool.map(prober.ask_without_store, limits, callers))
        words = [judge_without_store(seen, limit.binding) for limit, seen in zip(limits, down, strict=True)]
        as_declared = [word == store.when_down for word in words]
        again = list(pool.map(partial(_counted_again, prober, time.monotonic() + BACK_WITHIN_S), limits, as_declared))
    for limit, seen, word, back in zip(limits, down, words, again, strict=True):
        points: list[JsonValue] = [[one.at_s, one.status, one.admitted] for one in seen]
        slowest = max(one.took_s for one in seen)
        yield found_of(
            scene,
            limit,
            expected=[store.when_down, limit.binding.requests],
            actual=[word, back],
            seen=(
                Observation(
                    role="caller, without the store",
                    request=f"{limit.method} {limit.path}",
                    value=points,
                    unit="[s, status, admitted]",
                ),
                Observation(role="caller, without the store", request="slowest answer", value=slowest, unit="s"),
                Observation(role="another caller, afterwards", request="admitted of N + 1", value=back),
            ),
        )


def _fresh(prober: Prober, limit: Limit) -> Caller:
    """
    Get a fresh caller; who lost the store shortly before may still answer a log-in with an error, and is asked again.
    """
    until = time.monotonic() + BACK_WITHIN_S
    while True:
        try:
            return prober.callers.fresh(limit)
        except Unavailable:
            if time.monotonic() > until:
                raise
            time.sleep(0.1)


def _counted_again(prober: Prober, until: float, limit: Limit, as_declared: bool) -> int | None:  # noqa: FBT001
    """
    Count until it is right again, at least once and at most until the deadline; None for what is red already.
    """
    while as_declared:
        admitted = prober.count(limit).admitted if not prober.instances[1:] else prober.share(limit).admitted
        if admitted == limit.binding.requests or time.monotonic() > until:
            return admitted
        time.sleep(0.2)
    return None


@check(
    "limits.store.dead",
    title="Without its store the limiter does as declared, and counts right when the store is back",
    phase="50",
    severity="high",
    why="A limiter that turns into 500s takes the service down with its cache; one that opens is off when it matters.",
    how="Kill the store, ask N + 2 times as a fresh caller of each limit, all limits at once, start it, and count"
    " again over the instances.",
    remedy="Catch the store's errors in one place, and do there what is declared: closed, open, or a local bound.",
    population=limit_names,
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
    population=limit_names,
    on="copy",
    dear=True,
)
def store_hung(scene: Scene) -> Iterator[Finding]:
    """Freeze the store and ask on."""
    yield from _without(scene, Pause("redis"))


STORE_CHECKS = (store_dead, store_hung)
