"""
Owns the commands about stacks: up, down, ps.
"""

from __future__ import annotations

from functools import partial

import click
from pydantic import JsonValue
from rich.console import Console

from playbook.cli.reply import Reply, answering, table
from playbook.errors import InputError, PlaybookError
from playbook.evidence.outcome import Exit
from playbook.places import places
from playbook.run.plan import Asked, make_plan
from playbook.run.stacks import add_beside, create_stack
from playbook.stack import StackSummary, list_stacks
from playbook.stack.mend import destroy, destroy_forgotten
from playbook.stack.protocol import Leftovers
from playbook.stack.record import RecordFile
from playbook.stack.registry import folder_of

__all__ = ["commands"]

WORKERS = 2


@click.command()
@click.argument("name", default="reference")
@click.option("--scenario", default="reference", show_default=True, help="Whose target, profile and seed.")
@click.option("--stack", type=click.Choice(["local", "compose"]), help="Backend; default: the scenario's.")
@click.option("--profile", type=click.Choice(["quick", "standard", "quarterly"]))
@click.option("--seed", type=click.IntRange(min=0))
@click.option(
    "--with",
    "beside",
    multiple=True,
    type=click.Choice(["observe", "load", "store"]),
    help="With --stack compose: start these besides (repeatable).",
)
@click.option("--workers", type=click.IntRange(1, 16), help=f"Of `--with load`; default: {WORKERS}.")
@answering
def up(  # noqa: PLR0917 (click gives each by name)
    name: str,
    scenario: str,
    stack: str | None,
    profile: str | None,
    seed: int | None,
    beside: tuple[str, ...],
    workers: int | None,
) -> Reply:
    """
    Bring a stack up and leave it running, as found; `down` destroys it.

    Containers may have company. observe: Prometheus, Alertmanager and exporters. load: a Locust master and workers.
    store: an S3-compatible store.

    \b
    Examples:
      playbook up
      playbook up demo --profile standard --seed 7
      playbook up demo --stack compose --with observe --with load --workers 3
    """
    plan = make_plan(Asked(scenario=scenario, stack=stack, profile=profile, seed=seed), places())
    if beside and plan.scenario.stack != "compose":
        raise InputError(f"--with {beside[0]}: a stack of processes has none", hint="Add: --stack compose")
    if workers is not None and "load" not in beside:
        raise InputError(f"--workers {workers}: only a stack with load has workers", hint="Add: --with load")
    made = create_stack(
        plan.target,
        backend=plan.scenario.stack,
        name=name,
        profile=plan.scenario.profile,
        seed=plan.scenario.seed,
        run_folder=None,
        owned=False,
    )
    made.up(progress=lambda step: click.echo(f"{name}: {step}", err=True))
    addresses = {state: made.endpoints(state).url("app") for state in ("found", "hardened")}
    if beside:
        try:
            company = add_beside(made, plan, beside, workers=workers or WORKERS, say=partial(click.echo, err=True))
            addresses.update(company)
        except PlaybookError:
            made.down()
            raise

    secrets = RecordFile(folder_of(name)).path

    def show(console: Console) -> None:
        for place, url in addresses.items():
            console.print(f"{place:9} {url}", markup=False)
        console.print(f"The password of all seeded users: seed_password in {secrets}", markup=False)
        console.print(f"Destroy it with: playbook down {name}", markup=False)

    return Reply(show=show, data={"stack": name, "endpoints": {**addresses}})


@click.command()
@click.argument("name", required=False)
@click.option("--all", "everything", is_flag=True, help="Every stack of this user, also what a crash left.")
@answering
def down(name: str | None, everything: bool) -> Reply:  # noqa: FBT001 (click gives it by name)
    """
    Destroy a stack: processes, data, secrets. Says what was removed and what is left.

    \b
    Examples:
      playbook down reference
      playbook down --all
    """
    if bool(name) is everything:
        raise InputError("name one stack, or say --all", hint="`playbook ps` lists them.")
    names = [s.name for s in list_stacks()] if everything else [name or ""]
    if name and name not in [s.name for s in list_stacks()]:
        raise InputError(f"there is no stack {name!r}", hint="`playbook ps` lists them.")
    removed = {one: destroy(folder_of(one)) for one in names}
    if everything:
        removed.update(destroy_forgotten())
    left = [f"{one}: {thing}" for one, gone in removed.items() for thing in gone.names]

    def show(console: Console) -> None:
        for one, gone in removed.items():
            console.print(f"{one}: {_words(gone)}", markup=False)
        if not removed:
            console.print("there is no stack")
        for line in left:
            console.print(f"LEFT OVER {line}", markup=False)

    return Reply(
        show=show,
        outcome="error" if left else "pass",
        data={
            "removed": [*removed],
            "left": [*left],
            "counts": {one: {"processes": g.removed_processes, **g.removed_objects} for one, g in removed.items()},
        },
    )


def _words(gone: Leftovers) -> str:
    counts = {"processes": gone.removed_processes, **gone.removed_objects, "directories": gone.removed_directories}
    return f"{', '.join(f'{count} {what}' for what, count in counts.items())} removed"


@click.command()
@answering
def ps() -> Reply:
    """
    List this user's stacks. Read-only.

    \b
    Example:
      playbook ps --json
    """
    stacks = list_stacks()
    rows = [
        (s.name, s.backend, s.status, ", ".join(f"{k} {v}" for k, v in s.ports.items()), str(s.runner or "-"))
        for s in stacks
    ]

    def show(console: Console) -> None:
        if rows:
            console.print(table("", ("stack", "backend", "status", "ports on 127.0.0.1", "runner"), rows))
        else:
            console.print("no stack is running")

    return Reply(show=show, data={"stacks": [_stack(s) for s in stacks]}, exit_code=Exit.OK)


def _stack(one: StackSummary) -> dict[str, JsonValue]:
    return {
        "name": one.name,
        "backend": one.backend,
        "status": one.status,
        "created": one.created.isoformat() if one.created else None,
        "ports": {**one.ports},
        "processes": list(one.processes),
        "runner": one.runner,
        "run": str(one.run_folder) if one.run_folder else None,
    }


commands = {"up": up, "down": down, "ps": ps}
