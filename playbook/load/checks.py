"""
Owns the checks of phase 60 that send load: the service under its declared traffic, and under a rolling restart.
"""

from __future__ import annotations

from collections.abc import Iterator

from playbook.errors import Unavailable
from playbook.evidence.result import Observation
from playbook.load.callers import read_tenant_users
from playbook.load.findings import canary_findings, slo_findings, slo_names
from playbook.load.list_checks import LIST_CHECKS
from playbook.load.measurement import Once, Steady, measure_rolling, measure_steady
from playbook.load.rolling import RollingResult, loss_bound
from playbook.load.volume import weakness_of
from playbook.proof.check import Finding, check
from playbook.proof.scene import Scene

__all__ = ["CHECKS", "slo_met", "tenants_apart"]

STEADY: Once[Steady] = Once("load.steady", measure_steady)
ROLLING: Once[RollingResult] = Once("load.rolling", measure_rolling)

NAMED_ERRORS = 8
LEAD_LEAST_S = 0.5
"""The stack's proxy asks every 0.25 s and believes the second refusal."""


@check(
    "load.slo.met",
    title="The service meets its objectives under its declared traffic",
    phase="60",
    dear=True,
    severity="high",
    why="An objective that was never measured is a wish; a test that waits for slow answers hides the slow ones.",
    how="Send the target's traffic at a constant rate, each request at its time whatever the answers before it do; "
    "compare p95 and error rate with the objectives. Where only the tail of a short run missed, send many more and "
    "judge all together.",
    remedy="Look at the slowest operation of the table first; count its statements, then its waits.",
    population=lambda scene: slo_names(scene.target.objectives),
)
def slo_met(scene: Scene) -> Iterator[Finding]:
    """Send the steady load and compare it with the objectives."""
    steady = STEADY.read(scene, "load.slo.met")
    weakness = weakness_of(steady.judged.sent, steady.judged.arrivals_s)
    yield from slo_findings(steady.judged, scene.target.objectives, unfit=steady.undecided, weakness=weakness)


@check(
    "load.tenants.apart",
    title="Under load every response holds the caller's own tenant's data only",
    phase="60",
    dear=True,
    severity="critical",
    why="Context that stays on a pooled connection, or a cache without the tenant in its key, leaks only when "
    "requests of several tenants overlap.",
    how="Send the traffic as users of several tenants of different size, and look for other tenants' canaries in "
    "every response.",
    remedy="Bind the tenant inside the transaction; put the tenant into every cache key.",
    population=lambda scene: [one.tenant for one in read_tenant_users(scene)],
)
def tenants_apart(scene: Scene) -> Iterator[Finding]:
    """Look for foreign canaries in the responses of the steady load."""
    if scene.target.traffic is None or scene.target.traffic.canary is None:
        raise Unavailable("the target declares no canary", hint="Write traffic.canary.")
    steady = STEADY.read(scene, "load.tenants.apart")
    yield from canary_findings(steady.runs, steady.callers)


@check(
    "load.restart.none-lost",
    title="A rolling restart under load loses no request",
    phase="60",
    dear=True,
    severity="high",
    why="Every deployment is a rolling restart; what it loses, customers lose, several times a week.",
    how="Send the traffic through the proxy while each instance in turn gets SIGTERM, ends, starts and is ready; "
    "count the requests that were not served, and those that were asked in a loop while an instance left.",
    remedy="On SIGTERM turn readiness to 503, go on serving until the proxy has seen it twice, then finish and end.",
)
def none_lost(scene: Scene) -> Iterator[Finding]:
    """Restart the instances by turns under load, and count losses."""
    measured = ROLLING.read(scene, "load.restart.none-lost")
    load = measured.load
    reason = load.unfit(declared_s=None, late_limit_ms=None)
    if reason is not None:
        yield Finding.undecided(reason)
        return
    bound = loss_bound(measured.sent)
    allowed = 1 - (scene.target.objectives.availability or 1.0)
    weak = bound > max(allowed, 1e-3)
    yield Finding(
        expected=0,
        operator="eq",
        actual=measured.lost,
        strength="partial" if weak else "strong",
        strength_reason=(
            f"{measured.sent} requests: none lost would still allow {bound:.2%} (rule of three, 95 %); 3000 mean 99.9 %"
            if weak
            else None
        ),
        observations=(
            Observation(role="client", request="requests sent", value=measured.sent),
            Observation(role="client", request="lost, by cause", value={**measured.causes}),
            Observation(role="client", request="asked besides while instances left", value=measured.pressed.sent),
            Observation(role="client", request="share lost", value=round(measured.lost / measured.sent, 5)),
            Observation(
                role="operator",
                request="restarts",
                value=[[one.instance, round(one.from_s, 2), round(one.to_s, 2)] for one in measured.restarts],
                unit="instance, s, s",
            ),
            Observation(
                role="client",
                request="lost over time",
                value=[[number * load.bin_s, lost] for number, _, lost, _ in load.bins if lost],
                unit="s, requests",
            ),
        ),
    )


@check(
    "load.restart.in-flight-finished",
    title="A request in flight at SIGTERM or SIGINT is finished",
    phase="60",
    dear=True,
    severity="high",
    why="A payment or an upload that is cut half-way is worse than one that was refused.",
    how="Send half of a request's body to each instance, send it SIGTERM (once also SIGINT), send the rest when its "
    "port is closed: any answer but a server error shows that it was finished.",
    remedy="Close the port, finish what is in flight within the grace period, then end; never exit in the handler.",
)
def in_flight_finished(scene: Scene) -> Iterator[Finding]:
    """Look at the requests that were held in flight during the restarts."""
    measured = ROLLING.read(scene, "load.restart.in-flight-finished")
    left = [(f"instance {one.instance}, SIGTERM", one.departure) for one in measured.restarts]
    if measured.interrupted is not None:
        left.insert(0, ("instance 0, SIGINT", measured.interrupted))
    still = [name for name, one in left if not one.gone]
    if still:
        yield Finding.undecided(f"{still} were never seen to close their port")
        return
    cut = [f"{name}: {one.held_seen}" for name, one in left if one.cut]
    yield Finding(
        operator="empty",
        actual=[*cut[:NAMED_ERRORS]],
        strength="strong" if measured.interrupted else "partial",
        strength_reason=None if measured.interrupted else "by SIGTERM alone; SIGINT is tried in profile standard",
        observations=tuple(
            Observation(role="client", request=f"{name} after half a body", value=one.held_status, unit="HTTP status")
            for name, one in left[:NAMED_ERRORS]
        ),
    )


@check(
    "load.restart.readiness-leads",
    title="Readiness turns down before the port is closed",
    phase="60",
    dear=True,
    severity="medium",
    why="A balancer learns of a leaving instance by readiness; a port closed first teaches it by lost requests.",
    how="Ask each instance itself for readiness from SIGTERM on; between the first refusal and the closed port there "
    f"must be {LEAD_LEAST_S} s, the time of two probes.",
    remedy="On SIGTERM answer readiness with 503 and go on serving for twice the probe's interval times its failures.",
)
def readiness_leads(scene: Scene) -> Iterator[Finding]:
    """Look at what readiness said while the instances left."""
    restarts = ROLLING.read(scene, "load.restart.readiness-leads").restarts
    yield Finding(
        expected=LEAD_LEAST_S,
        operator="ge",
        actual=min(one.departure.led_s for one in restarts),
        observations=tuple(
            Observation(
                role="balancer",
                request=f"instance {one.instance}, unready before its port was closed",
                value=one.departure.led_s,
                unit="s",
            )
            for one in restarts[:NAMED_ERRORS]
        ),
    )


CHECKS = (slo_met, tenants_apart, none_lost, in_flight_finished, readiness_leads, *LIST_CHECKS)
