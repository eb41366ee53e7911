"""
Owns the checks of whose requests count together: not the neighbour's, and not whoever a header names.
"""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import JsonValue

from playbook.evidence.result import Observation
from playbook.limits.asking import make_prober
from playbook.limits.declaration import Limit
from playbook.limits.exhausting import doubt_of
from playbook.limits.experiments import Prober
from playbook.limits.findings import abreast, found_of, limit_names, trace_seen
from playbook.limits.judging import TOO_MANY, Trace, silence_of
from playbook.limits.wait_check import begin_waits
from playbook.proof.check import Finding, check
from playbook.proof.scene import Scene

__all__ = ["key_unspoofable", "neighbour_unaffected"]


@check(
    "limits.key.neighbour-unaffected",
    title="Who is most like an exhausted caller, and is not it, is let through",
    phase="50",
    severity="high",
    why="A limit whose key is too coarse locks out a whole office, tenant or proxy for one member's requests.",
    how="Exhaust a fresh caller; ask once as the next address, key, user or tenant, for"
    " each part of what is counted by. Asked first: else no caller is fresh.",
    remedy="Count by the declared key alone: the whole address (IPv6: its /64), the user, not the network or tenant.",
    population=limit_names,
    on="copy",
    dear=True,
)
def neighbour_unaffected(scene: Scene) -> Iterator[Finding]:
    """Exhaust one caller and ask as its neighbour."""
    begin_waits(scene)
    prober = make_prober(scene)
    for limit, (spent, beside) in abreast(scene, prober.beside):
        coarse = not spent.admitted and spent.refused_status == TOO_MANY  # others' requests counted for this caller
        doubt = (None if coarse else doubt_of([spent], limit.binding)) or silence_of(beside.values())
        if doubt is not None:
            yield Finding.undecided(doubt, subject=limit.id)
            continue
        refused = [f"by {part}: refused with {one.status}" for part, one in beside.items() if not one.admitted]
        seen = "; ".join(refused) or "let through"
        if spent.last.admitted:
            seen = "nothing refused"
        yield found_of(
            scene,
            limit,
            expected="let through",
            actual=seen,
            seen=(
                trace_seen(limit, spent, "caller"),
                *(trace_seen(limit, Trace((one,)), f"neighbour by {part}") for part, one in beside.items()),
            ),
        )


@check(
    "limits.key.unspoofable",
    title="No header lets an exhausted caller pass for another",
    phase="50",
    severity="critical",
    why="Behind a limiter that believes what the client writes, one attacker is a thousand clients.",
    how="Exhaust a fresh caller; go on as it with X-Forwarded-For, Forwarded, X-Real-IP and the like: at the service's"
    " address, and at one instance past the proxy.",
    remedy="Believe a forwarded address only where a trusted proxy wrote it: the last hop, never the leftmost.",
    population=limit_names,
    on="copy",
    dear=True,
)
def key_unspoofable(scene: Scene) -> Iterator[Finding]:
    """Exhaust a caller and pretend to be others."""
    prober = make_prober(scene)
    for limit, (dodged, seen, doubt) in abreast(scene, lambda one: _pretending(prober, one)):
        if doubt is not None:
            yield Finding.undecided(doubt, subject=limit.id)
            continue
        yield found_of(scene, limit, expected=[], actual=dodged, seen=seen)


def _pretending(prober: Prober, limit: Limit) -> tuple[list[JsonValue], list[Observation], str | None]:
    """
    Say by which names an exhausted caller got through, what was seen, and why that may decide nothing.
    """
    doubt = None
    dodged: list[JsonValue] = []
    seen: list[Observation] = []
    for url in sorted({prober.url, prober.first}):
        where = "the service's address" if url == prober.url else "one instance"
        spent, pretended = prober.pretend(limit, url)
        doubt = doubt or doubt_of(spent, limit.binding) or silence_of(pretended.values())
        if spent[-1].last.admitted:
            dodged = [*dodged, "nothing refused"]
        dodged += [name for name, one in pretended.items() if one.admitted and name not in dodged]
        seen.append(trace_seen(limit, spent[-1], f"caller at {where}"))
        seen += [
            Observation(role=f"caller at {where}", request=name, value=one.status) for name, one in pretended.items()
        ]
    return dodged, seen, doubt
