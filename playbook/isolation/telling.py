"""
Owns the checks about what the service tells that nobody asked for: in responses, in errors, about inputs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pydantic import JsonValue

from playbook.evidence.result import Observation
from playbook.isolation.asking import Asked, ask, made_key
from playbook.isolation.openapi import Operation, read_operations
from playbook.isolation.planting import remove_row
from playbook.isolation.shape import read_shape
from playbook.isolation.truth import superuser
from playbook.isolation.walk import CANARY, Walk, foreign_marks, walking
from playbook.proof.check import Finding, check
from playbook.proof.scene import Scene
from playbook.service.client import Answer, Client
from playbook.stack.guard import require_sealed

__all__ = ["NOT_ASKED", "TELLING_CHECKS"]

NOT_ASKED: Mapping[str, str] = {
    "POST /auth/register": "makes a tenant, which nothing takes away again; its answer holds two numbers",
}
"""Operations that the walk through all responses leaves out, and why."""

INTERNALS = ("Traceback", 'File "', "psycopg", "sqlalchemy", "SELECT ", "INSERT INTO", "UPDATE ", "[SQL", "DETAIL:")
NUL = "a\x00b"
"""A text that is valid JSON and that no column of PostgreSQL can hold."""

SECRET = "a-secret-that-was-mistyped"  # noqa: S105 (made up, to be looked for)
REFUSED = 400


def _others(scene: Scene) -> list[str]:
    """
    List the operations that are neither lists nor about one object, whose checks look at their responses.
    """
    return [one.name for one in read_operations(scene) if _is_other(one)]


def _is_other(operation: Operation) -> bool:
    return not operation.is_list and not operation.is_object and operation.name not in NOT_ASKED


@check(
    "http.mark.own-only",
    title="No other response shows another tenant's mark",
    phase="30",
    severity="critical",
    why="What is neither a list nor an object leaks too: an error, a count, an answer to whoever is not logged in.",
    how="Every operation that the checks of lists and objects do not ask, as a user of one tenant and as nobody.",
    remedy="Answer from what the bound tenant's transaction read, and before there is a tenant from nothing of theirs.",
    population=_others,
    on="copy",
    dear=True,
)
def mark_own_only(scene: Scene) -> Iterator[Finding]:
    """Look at all other responses."""
    require_sealed(scene.database)
    with walking(scene) as walk, Client(scene.endpoints.url("app")) as anonymous:
        for operation in read_operations(scene):
            if not _is_other(operation):
                continue
            shown = set(CANARY.findall(ask(anonymous, operation).text))
            told = {f"nobody sees {slug}" for slug in shown}
            statuses = set()
            for caller, other in walk.neighbours()[:1]:
                answer = caller.ask(operation, Asked(values=walk.values_for(operation, caller, other)))
                _take_away(scene, walk, operation, answer)
                statuses.add(answer.status)
                told.update(f"{caller.actor.tenant} sees {slug}" for slug in foreign_marks(answer, caller))
            seen = Observation(role="client", request=operation.name, value=[*sorted(statuses)], unit="HTTP status")
            yield Finding(operation.name, expected=[], operator="empty", actual=[*sorted(told)], observations=(seen,))


def _take_away(scene: Scene, walk: Walk, operation: Operation, answer: Answer) -> None:
    made, owned = made_key(operation, answer), walk.relation_of(operation)
    if made is not None and owned is not None:
        with superuser(scene) as god:
            remove_row(god, read_shape(god, owned.ownership), made)


def _texts(operation: Operation) -> tuple[str, ...]:
    """
    List the free texts of a body: those that no pattern, choice or format limits.
    """
    free = {"pattern", "enum", "format"}
    return tuple(
        name
        for name, schema in operation.body.items()
        if schema.get("type") == "string" and not free & set(schema) and not operation.form
    )


def _storing(scene: Scene) -> list[str]:
    """
    List the operations that store a text of their body.
    """
    return [one.name for one in read_operations(scene) if _stores(one)]


def _stores(operation: Operation) -> bool:
    return operation.secured and operation.method == "POST" and not operation.path_keys and bool(_texts(operation))


@check(
    "http.error.hides-internals",
    title="An error tells one sentence, never the statement or the stack",
    phase="30",
    severity="high",
    why="A statement with its parameters shows what the request could not: names, hashes, others' values (MT-8).",
    how="Send every operation that stores a text one that no column can hold; look for statements and stacks.",
    remedy="A handler per kind of failure that answers a fixed sentence; details go to the log, by their code.",
    population=_storing,
    on="copy",
    dear=True,
)
def error_hides_internals(scene: Scene) -> Iterator[Finding]:
    """Make the database refuse."""
    require_sealed(scene.database)
    with walking(scene) as walk:
        for operation in read_operations(scene):
            if not _stores(operation):
                continue
            if not walk.callers:
                yield Finding.undecided("nobody to log in", subject=operation.name)
                continue
            caller = walk.callers[0]
            values: dict[str, JsonValue] = {**walk.own_parents(operation, caller)}
            answer = caller.ask(operation, Asked(values={**values, **dict.fromkeys(_texts(operation), NUL)}))
            _take_away(scene, walk, operation, answer)
            told = [sign for sign in INTERNALS if sign in answer.text]
            seen = Observation(role="client", request=operation.name, value=answer.status, unit="HTTP status")
            yield Finding(operation.name, expected=[], operator="empty", actual=[*told], observations=(seen,))


def _with_body(scene: Scene) -> list[str]:
    """
    List the operations that take a JSON body.
    """
    return [one.name for one in read_operations(scene) if one.body and not one.form]


@check(
    "http.validation.hides-input",
    title="What is wrong with an input is told without the input",
    phase="30",
    severity="medium",
    why="A refused login that repeats the body repeats the password, in the answer and in whatever logs answers.",
    how="Send every operation with a body a property that it does not know, and look for its value in the answer.",
    remedy="Tell place and kind of each problem; leave out the value.",
    population=_with_body,
    on="copy",
    dear=True,
)
def validation_hides_input(scene: Scene) -> Iterator[Finding]:
    """Send what is not expected."""
    with walking(scene) as walk:
        for operation in read_operations(scene):
            if not operation.body or operation.form:
                continue
            if not walk.callers:
                yield Finding.undecided("nobody to log in", subject=operation.name)
                continue
            answer = walk.callers[0].ask(operation, Asked("1", values={"not_expected": SECRET}))
            repeated = SECRET in answer.text
            seen = Observation(role="client", request=operation.name, value=answer.status, unit="HTTP status")
            if answer.status < REFUSED and not repeated:
                yield Finding.undecided(f"it was accepted: {answer.status}", subject=operation.name)
                continue
            yield Finding(operation.name, expected=False, actual=repeated, observations=(seen,))


TELLING_CHECKS = (mark_own_only, error_hides_internals, validation_hides_input)
