"""
Owns the checks of phase 10: the service tells the truth about its health and refuses to start unsafe.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from playbook.errors import Unavailable
from playbook.evidence.result import Observation
from playbook.proof.check import Finding, check
from playbook.proof.scene import Scene
from playbook.service.client import Client
from playbook.service.sign_in import sign_in
from playbook.stack.protocol import Pause, Restart

__all__ = ["CHECKS", "SECRETS"]

SECRETS: Mapping[str, str | None] = {"missing": None, "default": "change-me", "short": "s" * 31}
"""Values of the signing secret that must be refused, by kind: 31 characters are one too few."""

BACK_WITHIN_S = 15.0


def _status(scene: Scene, path: str) -> tuple[int, Observation]:
    with Client(scene.endpoints.url("app"), timeout_s=5.0) as client:
        answer = client.request("GET", path)
    return answer.status, Observation(role="client", request=f"GET {path}", value=answer.status, unit="HTTP status")


def _status_once(scene: Scene, path: str, wanted: int) -> tuple[int, Observation]:
    """
    Ask until the wanted status comes, at most BACK_WITHIN_S; return the last one seen.
    """
    until = time.monotonic() + BACK_WITHIN_S
    while True:
        status, seen = _status(scene, path)
        if status == wanted or time.monotonic() > until:
            return status, seen
        time.sleep(0.1)


@check(
    "health.ready.database-down",
    title="Readiness turns 503 when the database stops, and 200 when it is back",
    phase="10",
    severity="high",
    why="A load balancer and a deployment trust readiness; one that is always 200 sends traffic into a dead service.",
    how="Ask /health/ready, stop the database, ask again, start it, ask until it is ready (15 s at most).",
    remedy="Let readiness ask every critical dependency with a time-out below the probe's own.",
)
def ready_follows_database(scene: Scene) -> Iterator[Finding]:
    """Stop the database for a moment and watch readiness."""
    before, seen_before = _status(scene, "/health/ready")
    with scene.faults.fault(Restart("postgres")):
        down, seen_down = _status(scene, "/health/ready")
    back, seen_back = _status_once(scene, "/health/ready", 200)
    yield Finding(
        expected=[200, 503, 200], actual=[before, down, back], observations=(seen_before, seen_down, seen_back)
    )


@check(
    "health.live.independent",
    title="Liveness answers while the database hangs",
    phase="10",
    severity="medium",
    why="Liveness that asks the database makes an orchestrator restart every instance when the database is slow.",
    how="Freeze the database and ask /health/live (5 s at most).",
    remedy="Let liveness answer from the process alone.",
)
def live_without_database(scene: Scene) -> Iterator[Finding]:
    """Freeze the database for a moment and watch liveness."""
    with scene.faults.fault(Pause("postgres")):
        status, seen = _status(scene, "/health/live")
    yield Finding(expected=200, actual=status, observations=(seen,))


@check(
    "config.secret.refused",
    title="The service refuses to start with a missing, default or short signing secret",
    phase="10",
    severity="critical",
    why="Whoever knows the default secret signs tokens for any user of any tenant.",
    how="Start one more instance with each bad secret: it must end by itself, not 0, and name the setting.",
    remedy="Validate required settings at start (at least 32 characters, no known default) and exit with a message.",
    population=lambda _: list(SECRETS),
    reach="code",
)
def bad_secret_refused(scene: Scene) -> Iterator[Finding]:
    """Start one more instance with each bad secret."""
    setting = scene.setting("JWT_SECRET")
    with ThreadPoolExecutor() as pool:
        starts = {kind: pool.submit(scene.launcher.try_start, {setting: value}) for kind, value in SECRETS.items()}
    for kind, start in starts.items():
        ended = start.result()
        words = f"{ended.stdout}\n{ended.stderr}".lower()
        told = "jwt_secret" in words or "jwt secret" in words
        seen = "served" if ended.exit_code is None else f"exit {'0' if ended.exit_code == 0 else 'not 0'}"
        yield Finding(
            subject=kind,
            expected="exit not 0, setting named",
            actual=f"{seen}, setting {'named' if told else 'not named'}",
            observations=(
                Observation(
                    role="operator", request=f"start with a {kind} {setting}", value=ended.exit_code, unit="exit code"
                ),
                Observation(role="operator", request="last words", value=(ended.stderr or ended.stdout)[-300:]),
            ),
        )


@check(
    "health.version.reported",
    title="The running service says which version it is",
    phase="10",
    severity="low",
    why="Without it nobody can say which code was drilled, or which is in production.",
    how="Ask /version; the version must be a release number.",
    remedy="Build the version into the service and report it.",
)
def version_reported(scene: Scene) -> Iterator[Finding]:
    """Ask the service for its version."""
    with Client(scene.endpoints.url("app")) as client:
        answer = client.request("GET", "/version")
    version = answer.json.get("version") if isinstance(answer.json, dict) else None
    yield Finding(
        expected=r"\d+\.\d+\.\d+\S*",
        operator="matches",
        actual=version if isinstance(version, str) else f"(none; status {answer.status})",
        observations=(Observation(role="client", request="GET /version", value=answer.json),),
    )


def _routes(scene: Scene) -> Sequence[str]:
    service = scene.target.service
    if service is None or not service.routes:
        raise Unavailable("the target declares no routes", hint="Set service.routes in the target.")
    return service.routes


@check(
    "service.routes.answer",
    title="Whoever signs in gets an answer from every router",
    phase="10",
    severity="medium",
    why="A router that was not mounted, or that fails on every request, is found by users when nobody asks it before.",
    how="Sign in, then GET each route that the target declares: 200, or 403 where the user's role may not.",
    remedy="Mount the router; look into the app's log for its exception.",
    population=_routes,
)
def routes_answer(scene: Scene) -> Iterator[Finding]:
    """Sign in and ask each declared route."""
    with Client(scene.endpoints.url("app"), token=sign_in(scene)) as client:
        for route in _routes(scene):
            status = client.request("GET", route).status
            seen = Observation(role="user", request=f"GET {route}", value=status, unit="HTTP status")
            yield Finding(subject=route, expected=[200, 403], operator="in", actual=status, observations=(seen,))


CHECKS = (ready_follows_database, live_without_database, bad_secret_refused, version_reported, routes_answer)
