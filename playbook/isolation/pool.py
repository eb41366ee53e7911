"""
Owns the check that a pooled connection forgets its tenant, seen from outside by what an anonymous request is told.
"""

from __future__ import annotations

from collections.abc import Iterator

from playbook.evidence.result import Observation
from playbook.isolation.openapi import Operation, read_operations
from playbook.isolation.walk import Walk, walking
from playbook.proof.check import Finding, check
from playbook.proof.scene import Scene
from playbook.service.client import Client

__all__ = ["POOL_CHECKS"]

ROUNDS = 3
NOBODY = "nobody-has-this@rehearsal.invalid"


def _is_anonymous_question(operation: Operation) -> bool:
    return operation.method == "GET" and not operation.secured and "email" in operation.query


def _anonymous_questions(scene: Scene) -> list[str]:
    """
    List the reads that ask no token and take an e-mail address.
    """
    return [one.name for one in read_operations(scene) if _is_anonymous_question(one)]


@check(
    "context.pool.no-leak",
    title="A pooled connection keeps no tenant for whoever comes next",
    phase="30",
    severity="critical",
    why="A tenant that is set for the session stays when the pool hands the connection on (MT-6).",
    how="After requests of a logged-in user, ask anonymously about its address and one that nobody has: same answer.",
    remedy="set_config('app.tenant_id', $1, true) inside the transaction, never SET for the session.",
    population=_anonymous_questions,
    on="copy",
    dear=True,
)
def pool_no_leak(scene: Scene) -> Iterator[Finding]:
    """Ask anonymously after bound requests."""
    with walking(scene) as walk, Client(scene.endpoints.url("app")) as anonymous:
        operations = read_operations(scene)
        bound = next((o for o in operations if o.method == "GET" and o.secured and not o.path_keys), None)
        for operation in operations:
            if not _is_anonymous_question(operation):
                continue
            if bound is None or not walk.callers:
                yield Finding.undecided("no secured read, or nobody to log in", subject=operation.name)
                continue
            told = _told(walk, operation, bound, anonymous)
            asked = Observation(
                role="client", request=operation.name, value=ROUNDS * len(walk.callers), unit="questions"
            )
            yield Finding(operation.name, expected=0, actual=told, observations=(asked,))


def _told(walk: Walk, operation: Operation, bound: Operation, anonymous: Client) -> int:
    """
    Count the answers about a real address that differ from those about one that nobody has.
    """
    told = 0
    for _ in range(ROUNDS):
        for caller in walk.callers:
            caller.ask(bound, limit=1)
            answers = [
                anonymous.request("GET", operation.path, params={"email": email})
                for email in (caller.actor.email, NOBODY)
            ]
            told += int((answers[0].status, answers[0].text) != (answers[1].status, answers[1].text))
    return told


POOL_CHECKS = (pool_no_leak,)
