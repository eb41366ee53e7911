"""
Owns `run`: the whole playbook, or a part of it, in batch.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import cast

import click
from pydantic import JsonValue
from rich.console import Console

from playbook.cli.reply import Reply, answering, table
from playbook.cli.trust import signing_key
from playbook.errors import InputError
from playbook.evidence.folder import RunFolder, evidence_home
from playbook.evidence.keys import Key
from playbook.evidence.outcome import Outcome, worst
from playbook.evidence.seal import seal_interrupted
from playbook.evidence.sign import sign_run
from playbook.places import places
from playbook.proof.sabotage import ContainerFault, LeftBehind, Sabotage
from playbook.report.terminal import print_run
from playbook.run.left_out import refuse_idle, tell_unasked
from playbook.run.parameters import parse_assignment
from playbook.run.phases import find_phase
from playbook.run.plan import Asked, PhasePlanned, RunPlan, make_plan
from playbook.run.render import render
from playbook.target.scenario import PROFILES, Scenario, includes

__all__ = ["commands", "execute_plans"]


@click.command()
@click.argument("scenarios", nargs=-1, metavar="[SCENARIO]...")
@click.option("-p", "parameters", multiple=True, metavar="NAME=VALUE", help="A parameter of a notebook; repeatable.")
@click.option("--stack", type=click.Choice(["local", "compose"]), help="Backend; default: the scenario's.")
@click.option("--profile", type=click.Choice(PROFILES), help="How much is tried; default: the scenario's.")
@click.option("--phase", "phases", multiple=True, metavar="NN", help="Only this phase, on what it needs; repeatable.")
@click.option("--without", multiple=True, metavar="SWITCH", help="Leave one hardening out; repeatable.")
@click.option("--seed", type=click.IntRange(min=0), help="Seed of the service's data.")
@click.option("--keep", is_flag=True, help="Leave the stack running afterwards.")
@click.option("--jobs", type=click.IntRange(1, 8), default=1, show_default=True, help="Scenarios at a time.")
@click.option("--evidence", type=click.Path(path_type=Path), help="Where runs are kept; else PLAYBOOK_EVIDENCE.")
@click.option("--no-sign", is_flag=True, help="Do not sign, though there is a key.")
@click.option("--dry-run", is_flag=True, help="Say what would be touched; start nothing.")
@answering
def run(  # noqa: PLR0917 (click gives them by name)
    scenarios: tuple[str, ...],
    parameters: tuple[str, ...],
    stack: str | None,
    profile: str | None,
    phases: tuple[str, ...],
    without: tuple[str, ...],
    seed: int | None,
    keep: bool,  # noqa: FBT001 (click gives it by name)
    jobs: int,
    evidence: Path | None,
    no_sign: bool,  # noqa: FBT001 (click gives it by name)
    dry_run: bool,  # noqa: FBT001 (click gives it by name)
) -> Reply:
    """
    Run the playbook on a disposable stack, and seal the evidence.

    SCENARIO is a name in data/scenarios or a path; default: reference.

    \b
    Examples:
      playbook run
      playbook run --phase 30 --without tenant_from_token
      playbook run reference --profile standard --seed 7 --json
      playbook run --dry-run
    """
    if jobs > 1:
        raise InputError("--jobs: only 1 for now", hint="Start several commands: stacks and runs never clash.")
    for phase in phases:
        find_phase(phase)
    here = places()
    plans = [
        make_plan(
            Asked(
                scenario=name,
                stack=stack,
                profile=profile,
                seed=seed,
                phases=phases,
                without=without,
                parameters=dict(parse_assignment(text) for text in parameters),
            ),
            here,
        )
        for name in scenarios or ("reference",)
    ]
    for plan in plans:
        refuse_idle(plan)
    if dry_run:
        return _dry(plans)
    home = evidence_home(evidence, environ=os.environ, default=here.evidence)
    return execute_plans(plans, home, keep=keep, key=signing_key(wanted=not no_sign))


def execute_plans(plans: list[RunPlan], home: Path, *, keep: bool, key: Key | None) -> Reply:
    """
    Execute plans one after another, and sign each run when there is a key.
    """
    # Imported late: papermill and what it needs take seconds, and a mistyped option should not wait for them.
    from playbook.run.closing import closing  # noqa: PLC0415
    from playbook.run.execute import execute, now  # noqa: PLC0415
    from playbook.run.progress import Progress  # noqa: PLC0415

    here = places()
    with Progress(home=home) as progress:
        for folder in seal_interrupted(home, clock=now, render=render).sealed:
            progress.say(f"sealed an interrupted run: {folder.run_id}")
        for plan in plans:
            for line in tell_unasked(plan):
                progress.say(line)
        made = closing(here, say=progress.say)
        done = [execute(plan, home=home, here=here, progress=progress, render=made, keep=keep) for plan in plans]
        if key is not None:
            for one in done:
                signature = sign_run(RunFolder(one.run.folder), key, record=one.run.record)
                progress.say(f"signed by {key.name}, its own key: {signature.name}")
    outcome: Outcome = worst(one.run.record.outcome for one in done)

    def show(console: Console) -> None:
        for one in done:
            print_run(one.run.record, sys.stdout)
            if one.stack:
                console.print(f"the stack {one.stack} is kept; destroy it with: playbook down {one.stack}")

    rows: list[JsonValue] = [
        {
            "id": one.run.record.run_id,
            "path": str(one.run.folder),
            "outcome": one.run.record.outcome,
            "exit_code": one.exit_code,
            "signed_by": key.name if key else None,
        }
        for one in done
    ]
    checks = [result for one in done for result in one.run.results]
    codes = [one.exit_code for one in done]
    code = next((c for c in (130, 3, 4, 2, 70, 1, 5) if c in codes), 0)
    return Reply(show=show, outcome=outcome, checks=checks, data={"runs": rows}, exit_code=code)


def _dry(plans: list[RunPlan]) -> Reply:
    told: list[JsonValue] = [
        {
            "scenario": plan.scenario.name,
            "target": plan.target.name,
            "stack": plan.scenario.stack,
            "profile": plan.scenario.profile,
            "seed": plan.scenario.seed,
            "without": [*sorted(plan.without)],
            "phases": [_dry_phase(one, plan.scenario) for one in plan.phases],
        }
        for plan in plans
    ]

    def show(console: Console) -> None:
        for plan in plans:
            head = f"{plan.scenario.name}: target {plan.target.name}, stack {plan.scenario.stack}"
            console.print(f"{head}, profile {plan.scenario.profile}, seed {plan.scenario.seed}", markup=False)
            rows = [
                (one.phase.id, one.mode, f"{len(_checks(one))}", "\n".join(one.phase.touches)) for one in plan.phases
            ]
            console.print(table("", ("phase", "mode", "checks", "what it touches"), rows))
        console.print("nothing was started; all addresses are on 127.0.0.1")

    return Reply(show=show, data={"dry_run": told})


def _dry_phase(one: PhasePlanned, scenario: Scenario) -> JsonValue:
    every = (*one.phase.sabotages, *one.phase.afterwards_sabotages)
    in_profile = [s for s in every if includes(scenario.profile, s.profile)]
    has_containers = scenario.stack == "compose"
    tried = [s.name for s in in_profile if has_containers or not _needs_containers(s)]
    return {
        "id": one.phase.id,
        "mode": one.mode,
        "touches": [*one.phase.touches],
        "checks": [*_checks(one)],
        "sabotages": [*tried],
        "parameters": cast("dict[str, JsonValue]", dict(one.parameters)),
    }


def _checks(one: PhasePlanned) -> Sequence[str]:
    return [c.id for c in (*one.phase.checks, *one.phase.afterwards)]


def _needs_containers(one: Sabotage) -> bool:
    of_engine = isinstance(one.fault, LeftBehind) and one.fault.kind not in {"processes", "directories"}
    return of_engine or isinstance(one.fault, ContainerFault)


commands = {"run": run}
