"""
Owns the checks about lists and searches over HTTP, and about a header that claims to be another tenant.
"""

from __future__ import annotations

from collections.abc import Iterator

from psycopg import Connection
from psycopg.rows import TupleRow
from pydantic import JsonValue

from playbook.evidence.result import Observation
from playbook.isolation.openapi import Operation, read_operations
from playbook.isolation.truth import superuser
from playbook.isolation.walk import LISTING_ACTORS, Caller, Walk, foreign_marks, walking
from playbook.proof.check import Finding, check
from playbook.proof.scene import Scene
from playbook.service.client import Answer

__all__ = ["LIST_CHECKS"]

HEADER = "X-Tenant-ID"
HEADER_ITEMS = 10
PAGES = 50
OK = 200


def _lists(scene: Scene) -> list[str]:
    """
    List the secured reads without a key in their path.
    """
    return [one.name for one in read_operations(scene) if _is_list(one)]


def _reads(scene: Scene) -> list[str]:
    """
    List the secured reads with at most one key in their path.
    """
    return [one.name for one in read_operations(scene) if _is_list(one) or _is_object(one)]


def _is_list(operation: Operation) -> bool:
    return operation.method == "GET" and operation.secured and not operation.path_keys


def _is_object(operation: Operation) -> bool:
    return operation.method == "GET" and operation.secured and len(operation.path_keys) == 1


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


def _walk_pages(god: Connection[TupleRow], walk: Walk, caller: Caller, operation: Operation) -> tuple[list[str], int]:
    """
    Read all pages, up to the first that shows what is foreign; return that, and how many items there were.
    """
    owned = walk.relation_of(operation)
    foreign: set[str] = set()
    after, seen = "", 0
    for _ in range(PAGES):
        answer = caller.ask(operation, after=after)
        if answer.status != OK:
            return [f"answered {answer.status}"], 0
        foreign.update(f"shows {slug}" for slug in foreign_marks(answer, caller))
        items, after = _items(answer)
        seen += len(items)
        keys = [str(item["id"]) for item in items if isinstance(item, dict) and "id" in item]
        if owned is not None:
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
    how="Every secured read without a key in its path, all pages, as users of several tenants: no other tenant's mark.",
    remedy="Let the database filter: bind the tenant in the transaction that reads, and query nothing outside of it.",
    population=_lists,
    on="copy",
    dear=True,
)
def list_own_only(scene: Scene) -> Iterator[Finding]:
    """Read all lists."""
    with walking(scene, limit=LISTING_ACTORS) as walk, superuser(scene, read_only=True) as god:
        for operation in read_operations(scene):
            if not _is_list(operation):
                continue
            foreign: set[str] = set()
            items = 0
            for caller in walk.callers:
                shown, count = _walk_pages(god, walk, caller, operation)
                foreign.update(f"{caller.actor.tenant} {what}" for what in shown)
                items += count
            seen = Observation(role="client", request=operation.name, value=items, unit="items")
            yield Finding(
                operation.name, expected=[], operator="empty", actual=[*sorted(foreign)], observations=(seen,)
            )


@check(
    "http.header.ignored",
    title="A header that claims another tenant changes nothing",
    phase="30",
    severity="critical",
    why="Whoever may name the tenant in a header is every tenant (MT-6).",
    how="Every secured read, with and without X-Tenant-ID of another tenant, of its own objects and of the other's.",
    remedy="Take the tenant from the verified token only.",
    population=_reads,
    on="copy",
    dear=True,
)
def header_ignored(scene: Scene) -> Iterator[Finding]:
    """Compare answers with and without the header."""
    with walking(scene) as walk:
        for operation in read_operations(scene):
            if _is_list(operation):
                yield _compared(operation, [(one, other, "") for one, other in _neighbours(walk)])
            elif _is_object(operation):
                owned = walk.relation_of(operation)
                if owned is None:
                    yield Finding.undecided(f"no relation is called {operation.collection}", subject=operation.name)
                    continue
                pairs = walk.pairs(owned)
                yield _compared(
                    operation, [(one, other, owned.of(other.actor.tenant_id).sample) for one, other in pairs]
                )


def _neighbours(walk: Walk) -> list[tuple[Caller, Caller]]:
    callers = list(walk.callers)
    return list(zip(callers, callers[1:] + callers[:1], strict=True)) if len(callers) > 1 else []


def _compared(operation: Operation, tries: list[tuple[Caller, Caller, str]]) -> Finding:
    if not tries:
        return Finding.undecided("fewer than two tenants to try with", subject=operation.name)
    moved = []
    for caller, other, key in tries:
        plain = caller.ask(operation, key=key, limit=HEADER_ITEMS)
        claimed = caller.ask(operation, key=key, limit=HEADER_ITEMS, headers={HEADER: other.actor.tenant_id})
        if (plain.status, plain.text) != (claimed.status, claimed.text):
            moved.append(f"{caller.actor.tenant} as {other.actor.tenant}: {plain.status}, then {claimed.status}")
    seen = Observation(
        role="client", request=f"{operation.name} with {HEADER}", value=len(tries), unit="pairs of tenants"
    )
    return Finding(operation.name, expected=[], operator="empty", actual=[*moved], observations=(seen,))


LIST_CHECKS = (list_own_only, header_ignored)
