"""
Owns the checks of phase 50 that need nothing but the service's addresses: how many, and how refused.
"""

from __future__ import annotations

from collections.abc import Iterator

from playbook.limits.asking import declared, make_prober
from playbook.limits.cost_check import cost_capped
from playbook.limits.exempt_check import exempt_exactly
from playbook.limits.exhausting import doubt_of
from playbook.limits.experiments import volley_size
from playbook.limits.findings import abreast, admitted_of, counted_abreast, found_of, limit_names, trace_seen
from playbook.limits.judging import TOO_MANY
from playbook.limits.key_checks import key_unspoofable, neighbour_unaffected
from playbook.limits.plan_check import plans_enforced
from playbook.limits.store_checks import STORE_CHECKS
from playbook.limits.wait_check import retry_after_truthful
from playbook.limits.window_check import windows_kept
from playbook.proof.check import Finding, check
from playbook.proof.scene import Scene

__all__ = ["CHECKS"]


@check(
    "limits.count.exact",
    title="Exactly N requests of a fresh caller pass, and the next does not",
    phase="50",
    severity="high",
    why="A limit that is off by some, or not there, is found by whoever guesses passwords, not by its owner.",
    how="As a fresh caller (own loopback address, own user) ask N + 1 times, one after another.",
    remedy="Count with a well-kept library, and the declared number.",
    population=limit_names,
    on="copy",
)
def count_exact(scene: Scene) -> Iterator[Finding]:
    """Ask N + 1 times."""
    prober = make_prober(scene)
    for limit, trace in counted_abreast(scene, prober.count):
        yield admitted_of(scene, limit, trace, "caller")


@check(
    "limits.refusal.status",
    title="What is over a limit is answered 429",
    phase="50",
    severity="medium",
    why="A 500 pages somebody at night and is retried by clients; a 403 looks like a lost permission.",
    how="Exhaust a fresh caller and look at the status of the first refusal (RFC 6585, section 4).",
    remedy="Answer from the limiter; don't raise in middleware, where no handler turns the exception into an answer.",
    population=limit_names,
    on="copy",
)
def refusal_status(scene: Scene) -> Iterator[Finding]:
    """Exhaust a caller and look at the refusal."""
    prober = make_prober(scene)
    for limit, spent in abreast(scene, lambda one: prober.exhaust(one, prober.callers.fresh(one))):
        doubt = doubt_of([spent], limit.binding)
        if doubt is not None:
            yield Finding.undecided(doubt, subject=limit.id)
            continue
        yield found_of(
            scene, limit, expected=TOO_MANY, actual=spent.refused_status, seen=(trace_seen(limit, spent, "caller"),)
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
    population=limit_names,
    on="copy",
    dear=True,
)
def burst_exact(scene: Scene) -> Iterator[Finding]:
    """Ask many times at once."""
    prober = make_prober(scene)
    for limit in declared(scene).limits:
        yield admitted_of(scene, limit, prober.burst(limit), f"caller, {volley_size(limit.binding)} at once")


@check(
    "limits.instances.shared",
    title="Two instances count together",
    phase="50",
    severity="high",
    why="Counted per process, every instance and worker more multiplies the limit.",
    how="As a fresh caller ask N + 2 times, the instances in turn.",
    remedy="Count in a store that all instances share.",
    population=limit_names,
    on="copy",
)
def instances_shared(scene: Scene) -> Iterator[Finding]:
    """Ask the instances in turn."""
    scene.need("two_instances")
    prober = make_prober(scene)
    for limit, trace in counted_abreast(scene, prober.share):
        yield admitted_of(scene, limit, trace, f"caller, {len(prober.instances)} instances in turn")


CHECKS = (
    neighbour_unaffected,
    count_exact,
    refusal_status,
    burst_exact,
    instances_shared,
    key_unspoofable,
    exempt_exactly,
    cost_capped,
    windows_kept,
    plans_enforced,
    retry_after_truthful,
    *STORE_CHECKS,
)
