"""
Owns the check that a pooled connection forgets its tenant, seen from outside by what an anonymous request is told.
"""

from __future__ import annotations

from collections.abc import Iterator

from playbook.evidence.result import Observation
from playbook.isolation.asking import Asked
from playbook.isolation.openapi import Operation, read_operations
from playbook.isolation.walk import Walk, walking
from playbook.proof.check import Finding, check
from playbook.proof.scene import Scene
from playbook.service.actors import read_actors
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
            told, questions = _told(scene, walk, operation, bound, anonymous)
            asked = Observation(role="client", request=operation.name, value=questions, unit="questions")
            yield Finding(operation.name, expected=0, actual=told, observations=(asked,))


def _told(scene: Scene, walk: Walk, operation: Operation, bound: Operation, anonymous: Client) -> tuple[int, int]:
    """
    Count the answers about a real address that differ from those about one that nobody has, and the questions.

    It is asked about one user of each of several tenants, not only of the callers': a connection may begin its life
    as anybody.
    """
    known = [*(one.actor for one in walk.callers), *read_actors(scene.database, scene.target)]
    addresses = sorted({actor.email for actor in known})
    told = 0
    for _ in range(ROUNDS):
        for caller in walk.callers:
            caller.ask(bound, Asked(limit="1"))
        nobody = anonymous.request("GET", operation.path, params={"email": NOBODY})
        for email in addresses:
            answer = anonymous.request("GET", operation.path, params={"email": email})
            told += int((answer.status, answer.text) != (nobody.status, nobody.text))
    return told, ROUNDS * len(addresses)


POOL_CHECKS = (pool_no_leak,)
