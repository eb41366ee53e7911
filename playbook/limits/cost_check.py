"""
Owns the check of what users may spend: calls at the same time must not pass the cap together.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import parsedate_to_datetime

from psycopg import sql
from pydantic import JsonValue

from playbook.errors import Unavailable
from playbook.evidence.result import Observation
from playbook.limits.asking import declared, make_prober
from playbook.limits.callers import Caller
from playbook.limits.costs import Cap, Cost, Usage
from playbook.limits.experiments import Prober
from playbook.limits.judging import Spent, judge_spending
from playbook.limits.wire import Line, Request, send_volley
from playbook.postgres.connect import connect
from playbook.proof.check import Finding, check
from playbook.proof.scene import Scene
from playbook.stack.protocol import Database

__all__ = ["cost_capped"]

ROOM = 3
"""So many calls fit under the lowered cap."""
AT_ONCE = 16
AFTERWARDS = 3
TIMES_LIMIT_S = 10.0

KEEP = sql.SQL("CREATE TEMP TABLE kept AS TABLE {relation}")
LOWER = sql.SQL("UPDATE {relation} SET {column} = %s")
HEAL = sql.SQL(
    "UPDATE {relation} one SET {column} = kept.{column} FROM kept"
    " WHERE to_jsonb(one) - %(name)s::text = to_jsonb(kept) - %(name)s::text"
)


@check(
    "limits.cost.capped",
    title="What a user's calls cost stays under the cap, also when they come at once",
    phase="50",
    severity="high",
    why="A cap that is looked at before the call and written after it lets every call through that comes meanwhile;"
    " the bill is the first to tell.",
    how=f"On a copy: ask once for the price, lower the cap to {ROOM} calls more, send {AT_ONCE} at once, then"
    f" {AFTERWARDS}; compare what was answered with the cap and with the usage that the user is shown.",
    remedy="Reserve the highest cost in one statement before the call, and give back what it did not cost.",
    population=lambda scene: [one.id for one in declared(scene).costs],
    on="copy",
    dear=True,
)
def cost_capped(scene: Scene) -> Iterator[Finding]:
    """Spend at once."""
    costs = declared(scene).costs
    if not costs:
        raise Unavailable("no cap on spending is declared", hint="Write `costs:` with the request and its cap.")
    prober = make_prober(scene)
    for cost in costs:
        spent = _spend(scene.database, prober, cost)
        if 0 in (*spent.at_once, *spent.after):
            yield Finding.undecided("a call was not answered", subject=cost.id)
            continue
        yield Finding(
            subject=cost.id,
            expected="within the cap",
            actual=judge_spending(spent),
            observations=(
                Observation(role="user", request="price of a call", value=spent.price),
                Observation(role="user", request="calls under the cap", value=spent.room),
                Observation(role="user", request=f"statuses of {AT_ONCE} calls at once", value=[*spent.at_once]),
                Observation(role="user", request="statuses of the calls after them", value=[*spent.after]),
                Observation(role="user", request="usage shown for them", value=spent.shown),
            ),
            strength="partial",
            strength_reason=f"the cap is lowered on a copy to {ROOM} calls, and the model is a stand-in",
        )


def _spend(database: Database, prober: Prober, cost: Cost) -> Spent:
    caller = prober.callers.fresh(cost.asked)
    request = caller.request(cost.asked)
    with Line(prober.url, caller.address, limit_s=TIMES_LIMIT_S) as line:
        before = _used(line, caller, cost)
        first = line.ask(request).status
        price = _used(line, caller, cost) - before
        if not cost.asked.admits(first) or price <= 0:
            return Spent(price, ROOM, (first,), (), 0)
        with _lowered(database, cost.cap, before + price * (1 + ROOM)):
            answers = send_volley(prober.url, caller.address, [request] * AT_ONCE, limit_s=TIMES_LIMIT_S)
            after = [line.ask(request).status for _ in range(AFTERWARDS)]
            shown = _used(line, caller, cost) - before - price
    return Spent(price, ROOM, tuple(one.status for one in answers), tuple(after), shown)


def _used(line: Line, caller: Caller, cost: Cost) -> int:
    """
    Read what the user is shown of the current month, which is the service's own. Read-only.
    """
    headers = caller.request(cost.asked).headers
    answer = line.ask(Request("GET", cost.usage.path, headers))
    month = parsedate_to_datetime(answer.headers["date"]).strftime("%Y-%m")
    try:
        items = json.loads(answer.body)
        return sum(_cost_of(one, cost.usage) for one in items if str(one[cost.usage.month]).startswith(month))
    except (ValueError, KeyError, TypeError) as err:
        raise Unavailable(
            f"GET {cost.usage.path} answered {answer.status}, which is no list of months",
            hint="Is `usage:` of the declaration right?",
        ) from err


def _cost_of(item: dict[str, JsonValue], usage: Usage) -> int:
    return int(str(item[usage.cost]))


@contextmanager
def _lowered(database: Database, cap: Cap, value: int) -> Iterator[None]:
    """
    Set every row's cap, as superuser on a copy; each is what it was at the end.
    """
    names = {"relation": sql.Identifier(*cap.relation.split(".")), "column": sql.Identifier(cap.column)}
    with connect(database, "superuser", autocommit=True, purpose="cap") as conn:
        conn.execute(KEEP.format(**names))
        conn.execute(LOWER.format(**names), (value,))
        try:
            yield
        finally:
            conn.execute(HEAL.format(**names), {"name": cap.column})
