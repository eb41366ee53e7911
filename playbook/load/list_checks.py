"""
Owns the checks of how many statements a list costs: within a budget, and not more for more items.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from playbook.errors import Unavailable
from playbook.evidence.result import Observation
from playbook.load.callers import log_in_callers, read_tenant_users
from playbook.load.lists import ListOperation, count_items, read_lists
from playbook.load.measurement import Once
from playbook.load.stack_rolling import front_door
from playbook.load.statements import Tap, tapping
from playbook.proof.check import Finding, check
from playbook.proof.scene import Scene
from playbook.service.client import Answer, Client
from playbook.service.measuring import measuring

__all__ = ["LIST_CHECKS"]

TENANTS = 2
SHORT = 1
_OK = 200


@dataclass(frozen=True, slots=True)
class ListCost:
    """
    What one list costs: items and statements of a short page and of the longest that was seen; or what went wrong.
    """

    operation: ListOperation
    short: tuple[int, int] = (0, 0)
    long: tuple[int, int] = (0, 0)
    refused: int | None = None

    @property
    def weakness(self) -> str | None:
        """
        Why it shows little, or None.
        """
        if self.long[0] > max(self.short[0], 1):
            return None
        return f"no page was longer than {self.long[0]}: growth could not be seen"

    @property
    def observations(self) -> tuple[Observation, ...]:
        return tuple(
            Observation(role="client", request=f"{self.operation.id}, {items} items", value=cost, unit="statements")
            for items, cost in (self.short, self.long)
        )


def count_lists(scene: Scene) -> list[ListCost]:
    """
    Count the statements of each list, asked by users of the two largest tenants. Read-only.
    """
    operations = read_lists(scene)
    door = front_door(scene)
    callers = log_in_callers(scene, read_tenant_users(scene, limit=TENANTS), address=door)
    with measuring(), tapping(scene.database) as tap, ExitStack() as stack:
        clients = [
            stack.enter_context(Client(door, token=one.headers["Authorization"].removeprefix("Bearer ")))
            for one in callers
        ]
        return [_cost(tap, operation, clients) for operation in operations]


COSTS: Once[list[ListCost]] = Once("load.lists", count_lists)


@check(
    "statements.list.bounded",
    title="A list costs a bounded number of statements",
    phase="60",
    severity="medium",
    why="A list that asks once more for every line is fast in every test and slow for the largest customer.",
    how="Ask for each list of the OpenAPI document as users of two tenants, and count at the database "
    "(pg_stat_statements) what the longest page costs.",
    remedy="Join what the lines need, or load it for all of them at once.",
    population=lambda scene: [one.id for one in read_lists(scene)],
    dear=True,
)
def list_bounded(scene: Scene) -> Iterator[Finding]:
    """Count the statements of each list's longest page."""
    budget = scene.target.objectives.list_statements
    if budget is None:
        raise Unavailable("the target declares no list_statements", hint="Write objectives.list_statements.")
    for cost in COSTS.read(scene, "statements.list.bounded"):
        yield _finding(cost, budget, strength_reason=cost.weakness)


@check(
    "statements.list.constant",
    title="A longer list costs no more statements than a short one",
    phase="60",
    severity="medium",
    why="A budget hides growth while pages are short; growth is what 1 + 3 N is.",
    how="Count the statements of a page of one item and of the longest page of each list; they must be the same.",
    remedy="Join what the lines need, or load it for all of them at once.",
    population=lambda scene: [one.id for one in read_lists(scene)],
    dear=True,
)
def list_constant(scene: Scene) -> Iterator[Finding]:
    """Compare the statements of a short and of a long page."""
    for cost in COSTS.read(scene, "statements.list.constant"):
        yield _finding(cost, cost.short[1], strength_reason=cost.weakness)


def _finding(cost: ListCost, bound: int, *, strength_reason: str | None) -> Finding:
    if cost.refused is not None:
        return Finding.undecided(f"it answered {cost.refused}", subject=cost.operation.id)
    return Finding(
        subject=cost.operation.id,
        expected=bound,
        operator="le",
        actual=cost.long[1],
        strength="partial" if strength_reason else "strong",
        strength_reason=strength_reason,
        observations=cost.observations,
    )


def _cost(tap: Tap, operation: ListOperation, clients: Sequence[Client]) -> ListCost:
    answers = [(one, _ask(one, operation, None)) for one in clients]
    refused = next((answer.status for _, answer in answers if answer.status != _OK), None)
    if refused is not None:
        return ListCost(operation, refused=refused)
    pages = sorted(((count_items(answer.json), client) for client, answer in answers), key=lambda page: page[0])
    (fewest, small), (most, large) = pages[0], pages[-1]
    if operation.size is not None:
        small, fewest = large, min(most, SHORT)
    short = tap.least(_asking(small, operation, SHORT if operation.size else None))
    return ListCost(operation, (fewest, short), (most, tap.least(_asking(large, operation, None))))


def _asking(client: Client, operation: ListOperation, size: int | None) -> Callable[[], None]:
    def ask() -> None:
        _ask(client, operation, size)

    return ask


def _ask(client: Client, operation: ListOperation, size: int | None) -> Answer:
    params = {operation.size: str(size)} if operation.size and size else None
    return client.request("GET", operation.path, params=params)


LIST_CHECKS = (list_bounded, list_constant)
