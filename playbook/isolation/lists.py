"""
Owns the check about lists and searches over HTTP, those whose question is sent in a body too.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from psycopg import Connection
from psycopg.rows import TupleRow
from pydantic import JsonValue

from playbook.evidence.result import Observation
from playbook.isolation.asking import Asked
from playbook.isolation.openapi import Operation, read_operations
from playbook.isolation.planting import read_row
from playbook.isolation.shape import read_shape
from playbook.isolation.truth import Owned, superuser
from playbook.isolation.walk import Caller, Walk, foreign_marks, walking
from playbook.proof.check import Finding, check
from playbook.proof.scene import Scene
from playbook.service.client import Answer

__all__ = ["LIST_CHECKS", "sought"]

PAGES = 50
OK = 200


def _lists(scene: Scene) -> list[str]:
    """
    List the secured reads without a key in their path, and the searches.
    """
    return [one.name for one in read_operations(scene) if one.is_list]


def sought(god: Connection[TupleRow], operation: Operation, owned: Owned | None, tenant: str) -> dict[str, JsonValue]:
    """
    Take what to search for from a tenant's row: the values of the columns that the body names. Read-only.
    """
    if owned is None or not operation.body or not owned.of(tenant).rows:
        return {}
    row = read_row(god, read_shape(god, owned.ownership), owned.of(tenant).sample) or {}
    return {name: row[name] for name in operation.body if row.get(name)}


def _items(answer: Answer) -> tuple[list[JsonValue], str]:
    """
    Take a page's items and where the next one starts.
    """
    body = answer.json
    if isinstance(body, list):
        return body, ""
    if not isinstance(body, dict):
        return [], ""
    items = next((value for value in body.values() if isinstance(value, list)), [])
    following = body.get("next_after")
    return items, "" if following is None else str(following)


def _walk_pages(
    god: Connection[TupleRow], walk: Walk, caller: Caller, neighbour: Caller, operation: Operation
) -> tuple[list[str], int]:
    """
    Read all pages, up to the first that shows what is foreign; return that, and how many items there were.

    A search in a body seeks what a row of the neighbour's holds.
    """
    owned = walk.relation_of(operation)
    values = sought(god, operation, owned, neighbour.actor.tenant_id)
    foreign: set[str] = set()
    after, seen = "", 0
    for _ in range(PAGES):
        asked = Asked(query={"after": after} if after else None, values=values)
        answer = caller.ask(operation, asked)
        if answer.cut and not foreign_marks(answer, caller):
            answer = caller.ask(operation, replace(asked, at_most_bytes=None))
        if answer.status != OK:
            return [f"answered {answer.status}"], 0
        foreign.update(f"shows {slug}" for slug in foreign_marks(answer, caller))
        items, after = _items(answer)
        seen += len(items)
        keys = [str(item["id"]) for item in items if isinstance(item, dict) and "id" in item]
        if owned is not None and not foreign:
            owners = set(owned.read_owners(god, keys).values()) - {caller.actor.tenant_id}
            foreign.update(f"lists a row of tenant {owner}" for owner in owners)
        if foreign or not after:
            break
    return sorted(foreign), seen


@check(
    "http.list.own-only",
    title="Lists and searches show the own tenant only",
    phase="30",
    severity="critical",
    why="One list that forgets its tenant shows every customer's data on page one (MT-8).",
    how="Every secured read without a key in its path and every search, all pages, as users of several tenants.",
    remedy="Let the database filter: bind the tenant in the transaction that reads, and query nothing outside of it.",
    population=_lists,
    on="copy",
    dear=True,
)
def list_own_only(scene: Scene) -> Iterator[Finding]:
    """Read all lists."""
    with walking(scene) as walk, superuser(scene, read_only=True) as god:
        for operation in read_operations(scene):
            if not operation.is_list:
                continue
            foreign: set[str] = set()
            items = 0
            for caller, neighbour in walk.neighbours():
                shown, count = _walk_pages(god, walk, caller, neighbour, operation)
                foreign.update(f"{caller.actor.tenant} {what}" for what in shown)
                items += count
            seen = Observation(role="client", request=operation.name, value=items, unit="items")
            yield Finding(
                operation.name, expected=[], operator="empty", actual=[*sorted(foreign)], observations=(seen,)
            )


LIST_CHECKS = (list_own_only,)
