"""
Owns the checks about the context: without a tenant, or with something that is none, there is nothing to see or write.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from psycopg import Connection, sql
from psycopg.rows import TupleRow
from psycopg.types.json import Jsonb
from pydantic import JsonValue

from playbook.evidence.result import Observation
from playbook.isolation.acting import app, attempt
from playbook.isolation.planting import lifted, make_row, remove_row
from playbook.isolation.reading import undecided
from playbook.isolation.shape import changed, insert_statement, shape_of
from playbook.isolation.truth import Owned, read_truth, superuser
from playbook.proof.check import Finding, check
from playbook.proof.scene import Scene
from playbook.stack.guard import require_sealed
from playbook.tenancy.relations import identifier, tenant_relations

__all__ = ["CONTEXT_CHECKS", "MALFORMED"]

MALFORMED = ("not-a-tenant", "-1", "1 OR 1=1", "9223372036854775807")
"""Values that name no tenant: a word, a number below all, an injected condition, a number above all."""

ENOUGH = 1000
"""When more rows than that show, the answer is clear, and rewriting all of them would say nothing more."""

CLOSED: dict[str, JsonValue] = {"read": 0, "inserted": 0, "updated": 0, "deleted": 0}


def _closed(scene: Scene, contexts: Sequence[str | None]) -> Iterator[Finding]:
    """
    Try to read and write under each of these contexts, on a connection of its own.
    """
    require_sealed(scene.database)
    truth = read_truth(scene)
    yield from undecided(truth)
    reached = {relation: dict.fromkeys(CLOSED, 0) for relation in truth.relations}
    with superuser(scene) as god:
        for context in contexts:
            # A connection of its own: once a transaction has set the context, it is empty and no longer unset.
            with app(scene) as conn:
                for relation, owned in truth.relations.items():
                    if owned.rows:
                        _try(scene, god, conn, owned, context=context, reached=reached[relation])
    seen = Observation(role="app", value=[repr(one) for one in contexts], unit="contexts")
    for relation, owned in truth.relations.items():
        if owned.rows:
            yield Finding(relation, expected=dict(CLOSED), actual={**reached[relation]}, observations=(seen,))
        else:
            yield Finding.undecided("no tenant has rows here", subject=relation)


def _try(
    scene: Scene,
    god: Connection[TupleRow],
    conn: Connection[TupleRow],
    owned: Owned,
    *,
    context: str | None,
    reached: dict[str, int],
) -> None:
    """
    Read, update, delete and insert under one context; add up what was reached. Leaves the rows as they were.
    """
    shape = shape_of(scene, god, owned.ownership)
    names = {"relation": identifier(shape.relation), "change": changed(shape)}
    tries = {
        "read": sql.SQL("SELECT 1 FROM {relation} LIMIT 1001").format(**names),
        "updated": sql.SQL("UPDATE {relation} SET {change}").format(**names),
        "deleted": sql.SQL("DELETE FROM {relation}").format(**names),
    }
    for what, statement in tries.items():
        if reached["read"] > ENOUGH and what != "read":
            continue
        reached[what] += attempt(scene, conn, context, statement, keep=False).rows
    values = make_row(god, shape, owned.any_key, number=0)
    with lifted(god, shape, str(values[shape.primary_key])):
        attempt(scene, conn, context, insert_statement(shape), (Jsonb(values),), keep=True)
        reached["inserted"] += int(remove_row(god, shape, values[shape.primary_key]))


@check(
    "context.unset.closed",
    title="Without a tenant nothing shows and nothing can be written",
    phase="30",
    severity="critical",
    why="A job or an endpoint that forgets to bind a tenant must find nothing, not everything (MT-6).",
    how="On a new connection of the service's role that never set the context: read, insert, update and delete.",
    remedy="Compare with the bound tenant only; a null context makes the comparison null, which is no row.",
    population=tenant_relations,
    on="copy",
    reach="rows",
)
def unset_closed(scene: Scene) -> Iterator[Finding]:
    """Try without a context."""
    yield from _closed(scene, (None,))


@check(
    "context.empty.closed",
    title="With an empty tenant nothing shows and nothing can be written",
    phase="30",
    severity="critical",
    why="After SET LOCAL ends, a pooled connection's context is the empty string, not null (MT-6).",
    how="With the context set to the empty string: read, insert, update and delete.",
    remedy="nullif(current_setting(…, true), '') in the policy and in the default.",
    population=tenant_relations,
    on="copy",
    reach="rows",
)
def empty_closed(scene: Scene) -> Iterator[Finding]:
    """Try with an empty context."""
    yield from _closed(scene, ("",))


@check(
    "context.malformed.closed",
    title="With a context that names no tenant nothing shows and nothing can be written",
    phase="30",
    severity="high",
    why="Whatever a client smuggles into the context must be an error or an empty page (MT-6).",
    how="With a word, a negative number, an injected condition and an unknown number: read and write.",
    remedy="Cast the setting to the key's type and compare; nothing else.",
    population=tenant_relations,
    on="copy",
    reach="rows",
)
def malformed_closed(scene: Scene) -> Iterator[Finding]:
    """Try with a malformed context."""
    yield from _closed(scene, MALFORMED)


CONTEXT_CHECKS = (unset_closed, empty_closed, malformed_closed)
