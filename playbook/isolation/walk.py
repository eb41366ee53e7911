"""
Owns walking the service's operations as logged-in users of several tenants, and spotting what is not theirs.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from pydantic import JsonValue

from playbook.errors import Unavailable
from playbook.isolation.asking import PLAIN, Asked, ask
from playbook.isolation.openapi import SEVERAL, Operation
from playbook.isolation.truth import Owned, Truth, read_truth
from playbook.proof.scene import Scene
from playbook.service.actors import Actor, read_actors
from playbook.service.client import Answer, Client, login

__all__ = ["ACTORS", "CANARY", "Caller", "Walk", "as_number", "foreign_marks", "walking"]

ACTORS = 2
"""Users that act over HTTP; rows are asked as every tenant, requests only have to see that the service binds one."""

LOGINS = 64
CANARY = re.compile(r"canary-([a-z0-9-]+)-[0-9a-f]{12}")
"""The mark that every tenant's texts carry."""


@dataclass(frozen=True, slots=True)
class Caller:
    """
    One tenant's user, logged in.
    """

    actor: Actor
    client: Client
    token: str

    def ask(self, operation: Operation, asked: Asked = PLAIN) -> Answer:
        """
        Send one operation with its required parameters and a valid body.
        """
        return ask(self.client, operation, asked)


@dataclass(frozen=True, slots=True)
class Walk:
    """
    Several callers, and the truth about who owns what.
    """

    callers: Sequence[Caller]
    truth: Truth

    def relation_of(self, operation: Operation) -> Owned | None:
        """
        Find the relation that an operation is about, by its path's last fixed name that is one or, alone, ends one.
        """
        for name in reversed(operation.fixed):
            found = self.relation_called(name)
            if found is not None:
                return found
        return None

    def relation_called(self, name: str) -> Owned | None:
        """
        Find a relation by its name or, where only one fits, by its ending.
        """
        named = {relation.split(".", 1)[1]: owned for relation, owned in self.truth.relations.items()}
        ending = [owned for one, owned in named.items() if one.endswith(f"_{name}")]
        return named.get(name) or (ending[0] if len(ending) == 1 else None)

    def own_parents(self, operation: Operation, caller: Caller) -> dict[str, int | str]:
        """
        Name the caller's own parents where a body must name one.
        """
        values: dict[str, int | str] = {}
        for name in operation.required_body:
            parent = self.relation_called(f"{name.removesuffix('_id')}s") if name.endswith("_id") else None
            if parent is not None:
                values[name] = as_number(parent.of(caller.actor.tenant_id).sample)
        return values

    def values_for(self, operation: Operation, caller: Caller, other: Caller) -> dict[str, JsonValue]:
        """
        Name what a body must name: the caller's own parents, and of several objects one of the other's.
        """
        values: dict[str, JsonValue] = {**self.own_parents(operation, caller)}
        owned = self.relation_of(operation)
        if owned is not None and SEVERAL in operation.body and owned.of(other.actor.tenant_id).rows:
            values[SEVERAL] = [as_number(owned.of(other.actor.tenant_id).sample)]
        return values

    def neighbours(self) -> list[tuple[Caller, Caller]]:
        """
        Pair each caller with the next one.
        """
        return list(zip(self.callers, [*self.callers[1:], *self.callers[:1]], strict=True))

    def pairs(self, owned: Owned) -> list[tuple[Caller, Caller]]:
        """
        Pair each caller whose tenant has rows there with the next one.
        """
        having = [one for one in self.callers if owned.of(one.actor.tenant_id).rows]
        return list(zip(having, having[1:] + having[:1], strict=True)) if len(having) > 1 else []


@contextmanager
def walking(scene: Scene) -> Iterator[Walk]:
    """
    Log in one user of each of the first tenants that have rows. Raises Unavailable when the target names no login.
    """
    truth = read_truth(scene)
    logins = scene.once("isolation.logins", lambda: _log_in(scene, truth))
    url = scene.endpoints.url("app")
    with ExitStack() as opened:
        callers = [Caller(actor, opened.enter_context(Client(url, token=token)), token) for actor, token in logins]
        yield Walk(callers, truth)


def _log_in(scene: Scene, truth: Truth) -> list[tuple[Actor, str]]:
    api = scene.target.api
    if api is None or api.login is None:
        raise Unavailable("the target names no login", hint="Write api.login: path, body and the token's field.")
    password = scene.secrets.get("seed_password", "")
    rows: Counter[str] = Counter()
    for owned in truth.relations.values():
        if len(owned.ownership.hops) > 1:
            rows.update({tenant: held.rows for tenant, held in owned.holdings.items()})
    actors = [one for one in read_actors(scene.database, scene.target, limit=LOGINS) if rows[one.tenant_id]]
    # Those with the fewest rows: their lists are short, and everybody else's rows are what must not be in them.
    actors.sort(key=lambda one: rows[one.tenant_id])
    with Client(scene.endpoints.url("app")) as anonymous:
        return [
            (actor, login(anonymous, api.login, tenant=actor.tenant, email=actor.email, password=password))
            for actor in actors[:ACTORS]
        ]


def as_number(key: str) -> int | str:
    """
    Spell a key as JSON has it.
    """
    return int(key) if key.isdigit() else key


def foreign_marks(answer: Answer, caller: Caller) -> list[str]:
    """
    List the tenants, other than the caller's, whose mark is in a response.
    """
    return sorted({slug for slug in CANARY.findall(answer.text) if slug != caller.actor.tenant})
