"""
Owns comparing two portraits: what a restored database lacks, has too much or has otherwise, told in sentences.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

from playbook.postgres.catalog import Catalog
from playbook.postgres.digest import TableDigest
from playbook.recovery.journal import Route
from playbook.recovery.portrait import Portrait

__all__ = ["ASPECTS", "difference"]

_NOTHING = TableDigest(0, "0")


def difference(aspect: str, truth: Portrait, restored: Portrait, route: Route) -> list[str]:
    """
    List how the restored database differs from the truth in one aspect. Read-only.
    """
    return ASPECTS[aspect](truth, restored, route)


def _rows(truth: Portrait, restored: Portrait, route: Route) -> list[str]:
    unlogged = {r.name for r in truth.catalog.relations if r.persistence == "u"} if route == "physical" else set()
    found = [f"{table}: {why}" for table, why in sorted(restored.unread.items()) if table not in unlogged]
    found += [f"{table}: not read in the source: {why}" for table, why in sorted(truth.unread.items())]
    for table, groups in sorted(truth.rows.items()):
        if table in restored.unread or table in unlogged:
            continue
        there = restored.rows.get(table, {})
        for owner in sorted({*groups, *there}, key=lambda one: (len(one), one)):
            was, now = groups.get(owner, _NOTHING), there.get(owner, _NOTHING)
            if was != now:
                whose = f"tenant {owner}" if owner else "rows of no tenant"
                told = "other content" if was.count == now.count else f"{now.count} restored"
                found.append(f"{table}, {whose}: {was.count} rows, {told}")
    return found


def _sequences(truth: Portrait, restored: Portrait, _: Route) -> list[str]:
    found = []
    for name, was in sorted(truth.sequences.items()):
        now = restored.sequences.get(name)
        if now is None:
            found.append(f"{name}: missing")
            continue
        needed = max(was.last, now.largest or 0)
        if now.last < needed:
            found.append(f"{name}: stands at {now.last}, must be at {needed} or later")
    return found


def _roles(truth: Portrait, restored: Portrait, _: Route) -> list[str]:
    def of(portrait: Portrait) -> dict[str, Iterable[Any]]:
        settings = [s for s in portrait.catalog.settings if s.scope == "server"]
        comments = [o for o in portrait.objects if o.kind == "comment" and o.name.startswith("role ")]
        return {
            "role": portrait.catalog.roles,
            "membership": portrait.catalog.memberships,
            "setting": settings,
            "comment": comments,
        }

    return _sets(of(truth), of(restored))


def _database(truth: Portrait, restored: Portrait, _: Route) -> list[str]:
    def of(portrait: Portrait) -> dict[str, Iterable[Any]]:
        return {
            "setting": [s for s in portrait.catalog.settings if s.scope == "database"],
            "grant": [g for g in portrait.catalog.grants if g.kind == "database"],
            "property": portrait.database,
        }

    return _sets(of(truth), of(restored))


def _grants(truth: Portrait, restored: Portrait, _: Route) -> list[str]:
    def of(portrait: Portrait) -> dict[str, Iterable[Any]]:
        return {
            "grant": [g for g in portrait.catalog.grants if g.kind != "database"],
            "default grant": portrait.catalog.default_grants,
        }

    return _sets(of(truth), of(restored))


def _policies(truth: Portrait, restored: Portrait, _: Route) -> list[str]:
    def of(portrait: Portrait) -> dict[str, Iterable[Any]]:
        flags = [
            f"{r.name}: row security {_on(r.row_security)}, forced {_on(r.force_row_security)}"
            for r in portrait.catalog.relations
            if r.kind in ("table", "partitioned table")
        ]
        return {"policy": portrait.catalog.policies, "table": flags}

    return _sets(of(truth), of(restored))


def _schema(truth: Portrait, restored: Portrait, _: Route) -> list[str]:
    def of(portrait: Portrait) -> dict[str, Iterable[Any]]:
        catalog = portrait.catalog
        bare = [replace(r, row_security=False, force_row_security=False) for r in catalog.relations]
        objects = [o for o in portrait.objects if not o.name.startswith("role ")]
        return {"relation": bare, "object": objects, **{name: getattr(catalog, name) for name in _SCHEMA}}

    return _sets(of(truth), of(restored))


_SCHEMA = ("schemas", "columns", "constraints", "indexes", "triggers", "routines")
assert {field.name for field in fields(Catalog)} >= set(_SCHEMA)

ASPECTS: Mapping[str, Callable[[Portrait, Portrait, Route], list[str]]] = {
    "rows": _rows,
    "sequences": _sequences,
    "roles": _roles,
    "database": _database,
    "grants": _grants,
    "policies": _policies,
    "schema": _schema,
}


def _sets(truth: Mapping[str, Iterable[Any]], restored: Mapping[str, Iterable[Any]]) -> list[str]:
    found: list[str] = []
    for kind, wanted in truth.items():
        was, now = set(wanted), set(restored[kind])
        found += [f"{kind} missing: {_spelled(one)}" for one in _ordered(was - now)]
        found += [f"{kind} not in the source: {_spelled(one)}" for one in _ordered(now - was)]
    return found


def _ordered(items: Iterable[Any]) -> Sequence[Any]:
    return sorted(items, key=repr)


def _spelled(one: object) -> str:
    if isinstance(one, str):
        return one
    values = [str(getattr(one, field.name)) for field in fields(one)]  # type: ignore[arg-type]
    return " ".join(" ".join(values).split())[:200]


def _on(flag: bool) -> str:  # noqa: FBT001 (a word for a flag)
    return "on" if flag else "off"
