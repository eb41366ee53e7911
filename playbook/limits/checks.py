"""
Owns the checks of phase 50 that need nothing but the service's addresses: how many, how refused, whose, for how long.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace

from pydantic import JsonValue

from playbook.evidence.result import Observation
from playbook.limits.asking import declared, make_prober, partial_strength
from playbook.limits.cost_check import cost_capped
from playbook.limits.declaration import Limit
from playbook.limits.exempt_check import exempt_exactly
from playbook.limits.experiments import volley_size
from playbook.limits.judging import Asked, Judged, Trace, WaitTold, judge_count, judge_wait
from playbook.limits.store_checks import STORE_CHECKS
from playbook.proof.check import Finding, check
from playbook.proof.scene import Scene

__all__ = ["CHECKS"]

TOO_MANY = 429
WAITS = "limits.waits"


def _limits(scene: Scene) -> list[str]:
    return [limit.id for limit in declared(scene).limits]


def _seen(limit: Limit, trace: Trace, role: str) -> Observation:
    points: list[JsonValue] = [_point(one) for one in trace.asked]
    return Observation(role=role, request=f"{limit.method} {limit.path}", value=points, unit="[s, status, admitted]")


def _waits(scene: Scene) -> list[Future[WaitTold]]:
    """
    Begin to wait as Retry-After says, if that has not begun: other questions are asked meanwhile, by other callers.
    """

    def begin() -> list[Future[WaitTold]]:
        prober = make_prober(scene)
        limits = declared(scene).limits
        pool = ThreadPoolExecutor(len(limits))
        waits = [pool.submit(prober.wait_as_told, limit) for limit in limits]
        pool.shutdown(wait=False)
        return waits

    return scene.once(WAITS, begin)


def _point(one: Asked) -> JsonValue:
    return [one.at_s, one.status, one.admitted]


def _found(
    scene: Scene, limit: Limit, *, expected: JsonValue, actual: JsonValue, seen: Sequence[Observation]
) -> Finding:
    part = partial_strength(scene)
    return Finding(
        subject=limit.id,
        expected=expected,
        actual=actual,
        observations=tuple(seen),
        strength="partial" if part else "strong",
        strength_reason=part,
    )


def _admitted(scene: Scene, limit: Limit, trace: Trace, role: str) -> Finding:
    judged: Judged = judge_count(trace, limit.binding)
    if judged.inconclusive is not None:
        return Finding.undecided(judged.inconclusive, subject=limit.id)
    seen = _seen(limit, trace, role)
    return _found(scene, limit, expected=limit.binding.requests, actual=judged.admitted, seen=(seen,))


@check(
    "limits.key.neighbour-unaffected",
    title="Who is most like an exhausted caller, and is not it, is let through",
    phase="50",
    severity="high",
    why="A limit whose key is too coarse locks out a whole office, tenant or proxy for one member's requests.",
    how="Exhaust a fresh caller; ask once as the next address, key or user. Asked first: else no caller is fresh.",
    remedy="Count by the declared key alone: the whole address (IPv6: its /64), the user, not the network or tenant.",
    population=_limits,
    on="copy",
    dear=True,
)
def neighbour_unaffected(scene: Scene) -> Iterator[Finding]:
    """Exhaust one caller and ask as its neighbour."""
    _waits(scene)
    prober = make_prober(scene)
    for limit in declared(scene).limits:
        spent, beside = prober.beside(limit)
        seen = "let through" if beside.admitted else f"refused with {beside.status}"
        if spent.last.admitted:
            seen = "nothing refused"
        yield _found(
            scene,
            limit,
            expected="let through",
            actual=seen,
            seen=(_seen(limit, spent, "caller"), _seen(limit, Trace((beside,)), "neighbour")),
        )


@check(
    "limits.count.exact",
    title="Exactly N requests of a fresh caller pass, and the next does not",
    phase="50",
    severity="high",
    why="A limit that is off by some, or not there, is found by whoever guesses passwords, not by its owner.",
    how="As a fresh caller (own loopback address, own user) ask N + 1 times, one after another.",
    remedy="Count with a well-kept library, and the declared number.",
    population=_limits,
    on="copy",
)
def count_exact(scene: Scene) -> Iterator[Finding]:
    """Ask N + 1 times."""
    prober = make_prober(scene)
    for limit in declared(scene).limits:
        yield _admitted(scene, limit, prober.count(limit), "caller")


@check(
    "limits.refusal.status",
    title="What is over a limit is answered 429",
    phase="50",
    severity="medium",
    why="A 500 pages somebody at night and is retried by clients; a 403 looks like a lost permission.",
    how="Exhaust a fresh caller and look at the status of the first refusal (RFC 6585, section 4).",
    remedy="Answer from the limiter; don't raise in middleware, where no handler turns the exception into an answer.",
    population=_limits,
    on="copy",
)
def refusal_status(scene: Scene) -> Iterator[Finding]:
    """Exhaust a caller and look at the refusal."""
    prober = make_prober(scene)
    for limit in declared(scene).limits:
        spent = prober.exhaust(limit, prober.callers.fresh(limit))
        yield _found(
            scene, limit, expected=TOO_MANY, actual=spent.refused_status, seen=(_seen(limit, spent, "caller"),)
        )


@check(
    "limits.burst.exact",
    title="Of many requests at once, N pass",
    phase="50",
    severity="high",
    why="A limiter that reads, decides and writes in three steps admits whatever arrives between them.",
    how="Open the connections of a fresh caller, send N and 15 to 25 requests more up to their last byte, then all of"
    " these bytes at once.",
    remedy="Count and decide in one atomic step: a script in the store, or the library that has one.",
    population=_limits,
    on="copy",
    dear=True,
)
def burst_exact(scene: Scene) -> Iterator[Finding]:
    """Ask many times at once."""
    prober = make_prober(scene)
    for limit in declared(scene).limits:
        yield _admitted(scene, limit, prober.burst(limit), f"caller, {volley_size(limit.binding)} at once")


@check(
    "limits.instances.shared",
    title="Two instances count together",
    phase="50",
    severity="high",
    why="Counted per process, every instance and worker more multiplies the limit.",
    how="As a fresh caller ask N + 2 times, the instances in turn.",
    remedy="Count in a store that all instances share.",
    population=_limits,
    on="copy",
)
def instances_shared(scene: Scene) -> Iterator[Finding]:
    """Ask the instances in turn."""
    scene.need("two_instances")
    prober = make_prober(scene)
    for limit in declared(scene).limits:
        yield _admitted(scene, limit, prober.share(limit), f"caller, {len(prober.instances)} instances in turn")


@check(
    "limits.key.unspoofable",
    title="No header lets an exhausted caller pass for another",
    phase="50",
    severity="critical",
    why="Behind a limiter that believes what the client writes, one attacker is a thousand clients.",
    how="Exhaust a fresh caller; go on as it with X-Forwarded-For, Forwarded, X-Real-IP and the like: at the service's"
    " address, and at one instance past the proxy.",
    remedy="Believe a forwarded address only where a trusted proxy wrote it: the last hop, never the leftmost.",
    population=_limits,
    on="copy",
    dear=True,
)
def key_unspoofable(scene: Scene) -> Iterator[Finding]:
    """Exhaust a caller and pretend to be others."""
    prober = make_prober(scene)
    for limit in declared(scene).limits:
        dodged: list[JsonValue] = []
        seen: list[Observation] = []
        for url in sorted({prober.url, prober.first}):
            where = "the service's address" if url == prober.url else "one instance"
            spent, pretended = prober.pretend(limit, url)
            if spent.last.admitted:
                dodged = [*dodged, "nothing refused"]
            dodged += [name for name, one in pretended.items() if one.admitted and name not in dodged]
            seen.append(_seen(limit, spent, f"caller at {where}"))
            seen += [
                Observation(role=f"caller at {where}", request=name, value=one.status)
                for name, one in pretended.items()
            ]
        yield _found(scene, limit, expected=[], actual=dodged, seen=seen)


@check(
    "limits.retry-after.truthful",
    title="Retry-After is true: who obeys is admitted, who comes a second early is not",
    phase="50",
    severity="medium",
    why="Told too early, well-behaved clients are refused again and again; told too late, they stay away for nothing.",
    how="Three fresh callers: one obeys, one comes a second early, one is told in mid-window and obeys then.",
    remedy="Round the seconds to wait up, over every window that is full; never a date of the server's own epoch.",
    population=_limits,
    on="copy",
    dear=True,
)
def retry_after_truthful(scene: Scene) -> Iterator[Finding]:
    """Obey Retry-After, and come early."""
    waits = _waits(scene)
    del scene.memo[WAITS]  # asked again in this scene, it is measured again
    for limit, wait in zip(declared(scene).limits, waits, strict=True):
        told = wait.result()
        word, why = judge_wait(told)
        if word is None:
            yield Finding.undecided(why or "", subject=limit.id)
            continue
        seen = [_seen(limit, told.spent, "obeying")]
        seen.append(Observation(role="obeying", request="Retry-After", value=told.spent.last.wait))
        for role, one in (("obeying", told.obeyed), ("early", told.early), ("mid-window", told.mid)):
            if one is not None:
                seen.append(_seen(limit, Trace((one,)), role))
        allowed: list[JsonValue] = ["truthful"] if limit.retry_after == "required" else ["truthful", "absent"]
        yield replace(_found(scene, limit, expected=allowed, actual=word, seen=seen), operator="in")


CHECKS = (
    neighbour_unaffected,
    count_exact,
    refusal_status,
    burst_exact,
    instances_shared,
    key_unspoofable,
    exempt_exactly,
    cost_capped,
    retry_after_truthful,
    *STORE_CHECKS,
)
