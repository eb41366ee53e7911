"""
Owns `limits`: probe the rate limits of any service on loopback against a declaration.
"""

from __future__ import annotations

from pathlib import Path

import click
from pydantic import JsonValue
from rich.console import Console

from playbook.cli.reply import Reply, answering, table
from playbook.cli.service import require_service
from playbook.evidence.outcome import worst
from playbook.evidence.result import CheckResult
from playbook.limits import CHECKS, read_declaration
from playbook.limits.addresses import DeclaredStore, Urls, capabilities_of, checked_urls
from playbook.limits.declaration import Declaration
from playbook.limits.summary import estimate, summarise
from playbook.limits.wire import ANSWER_LIMIT_S
from playbook.proof.execute import run_checks
from playbook.proof.scene import Scene
from playbook.target.target import Limits, Target

__all__ = ["commands"]

LONGEST_WAIT_S = 75.0


@click.command()
@click.option("--url", "urls", multiple=True, required=True, help="The service; again for each further instance.")
@click.option(
    "--declare",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    help="The declared limits, in the form of data/limits/*.yaml.",
)
@answering
def limits(urls: tuple[str, ...], declare: Path) -> Reply:
    """
    Probe rate limits from outside: how many pass, how the next is refused, who shares, who can dodge.

    Callers are loopback addresses of their own, so nobody else's count is touched. What will be sent is said first.

    \b
    Examples:
      playbook limits --url http://127.0.0.1:8000 --declare limits.yaml
      playbook limits --url http://127.0.0.1:8000 --url http://127.0.0.1:8001 --declare limits.yaml --json
    """
    addresses = Urls(checked_urls(urls))
    declaration = read_declaration(declare)
    require_service(addresses.instances)
    cost = estimate(declaration, instances=len(addresses.instances), longest_wait_s=LONGEST_WAIT_S)
    click.echo(
        f"{len(declaration.limits)} limits: about {cost.requests} requests, {cost.most_requests} at most, "
        f"within {cost.longest_s:.0f} s, to {', '.join(addresses.instances)}",
        err=True,
    )
    scene = Scene(
        state="found",
        target=Target(version=1, name="limits", limits=Limits(file=declare)),
        seed=0,
        site_endpoints=addresses,
        site_faults=_faults(declaration),
        capabilities=capabilities_of(addresses, declaration),
    )
    results = run_checks(CHECKS, scene, seen=_tell)
    summaries = summarise(declaration, results)
    rows: list[JsonValue] = [*summaries]
    return Reply(
        show=lambda console: _show(console, summaries, results),
        outcome=worst(one.outcome for one in results),
        checks=results,
        data={"limits": rows},
    )


def _faults(declaration: Declaration) -> DeclaredStore | None:
    store = declaration.store
    if store is None or not store.disposable:
        return None
    return DeclaredStore(store, pause_s=2 + (ANSWER_LIMIT_S + 0.5) * len(declaration.limits))


def _tell(result: CheckResult) -> None:
    click.echo(f"{result.outcome:5} {result.id} {result.subject or ''}", err=True)


def _show(console: Console, summaries: list[dict[str, JsonValue]], results: list[CheckResult]) -> None:
    columns = ("id", "outcome", "admitted", "refused_status", "shared", "retry_after", "spoofable_by")
    console.print(
        table(
            "", columns, [tuple("-" if one[name] is None else str(one[name]) for name in columns) for one in summaries]
        )
    )
    red = [one for one in results if one.outcome in ("fail", "error")]
    for one in red:
        seen = one.reason or f"expected {one.expected}, saw {one.actual}"
        console.print(f"{one.outcome}: {one.id} {one.subject or ''}: {seen}", markup=False)
    skipped = {one.reason for one in results if one.outcome == "skip"}
    for reason in sorted(reason for reason in skipped if reason):
        console.print(f"not tried: {reason}", markup=False)


commands = {"limits": limits}
