"""
Owns the commands that tell what there is: list, explain, switches, sabotages. Read-only.
"""

from __future__ import annotations

from collections.abc import Mapping

import click
from pydantic import JsonValue
from rich.console import Console

from playbook.cli.explanation import explanation
from playbook.cli.reply import Reply, answering, table
from playbook.places import places
from playbook.proof.check import Check
from playbook.proof.sabotage import CodeEdit, ContainerFault, LeftBehind, ProcedureFault, Sabotage, SwitchOff
from playbook.report.requirements import read_mappings
from playbook.run.phases import PHASES, find_phase, registry
from playbook.target.target import read_target

__all__ = ["commands"]

_KINDS: Mapping[type, str] = {
    SwitchOff: "switch",
    CodeEdit: "edit",
    ContainerFault: "container",
    ProcedureFault: "procedure",
    LeftBehind: "leftover",
}


@click.command("list")
@click.argument("what", type=click.Choice(["checks", "phases"]))
@answering
def list_(what: str) -> Reply:
    """
    List the checks or the phases.

    \b
    Examples:
      playbook list checks
      playbook list phases --json
    """
    if what == "phases":
        every = [registry().of_phase(p.id) for p in PHASES]
        rows = [
            (p.id, p.title, f"{len(one.checks)}", f"{len(one.sabotages)}", ", ".join(p.needs) or "-")
            for p, one in zip(PHASES, every, strict=True)
        ]
        return Reply(
            show=lambda c: c.print(table("", ("phase", "title", "checks", "sabotages", "needs"), rows)),
            data={
                "phases": [
                    {
                        "id": p.id,
                        "title": p.title,
                        "notebook": p.notebook,
                        "needs": list(p.needs),
                        "checks": [c.id for c in one.checks],
                        "sabotages": [s.name for s in one.sabotages],
                    }
                    for p, one in zip(PHASES, every, strict=True)
                ]
            },
        )
    found = registry().checks
    rows_ = [(c.phase, c.id, c.severity, c.title) for c in found]
    return Reply(
        show=lambda c: c.print(table("", ("phase", "check", "severity", "title"), rows_)),
        data={"list": [_check(c) for c in found]},
    )


@click.command()
@click.argument("check_id", metavar="CHECK")
@answering
def explain(check_id: str) -> Reply:
    """
    Say why a check is there, how it asks, which sabotages turn it red, and what to do about a red one.

    \b
    Example:
      playbook explain health.ready.database-down
    """
    one = registry().check(check_id)
    killers = [s for s in registry().sabotages if check_id in s.kills]
    mappings = read_mappings(places().data / "mappings.yaml")
    answers = {name: row.title for name, row in mappings.requirements.items() if check_id in row.checks}
    bears_on = [
        f"{words} {row.control} ({row.strength})"
        for words, row in mappings.standards.controls
        if set(row.requirements) & set(answers)
    ]

    def show(console: Console) -> None:
        for part in explanation(one, killers, answers, bears_on):
            console.print(part)

    return Reply(
        show=show,
        data={
            "check": _check(one),
            "sabotages": [_sabotage(s) for s in killers],
            "requirements": [*answers],
            "standards": [*bears_on],
        },
    )


@click.command()
@answering
def switches() -> Reply:
    """
    List the reference service's switches: one named hardening of its behaviour each.

    \b
    Example:
      playbook switches
      playbook run --without tenant_from_token
    """
    target = read_target(places().data / "targets" / "reference.yaml")
    found = dict(target.service.switches) if target.service else {}
    turned_on = {name: phase.id for phase in PHASES for name in phase.switches}
    rows = [(name, turned_on.get(name, "-"), text) for name, text in found.items()]
    return Reply(
        show=lambda c: c.print(table("", ("switch", "phase", "what it does when on"), rows)),
        data={"switches": [{"name": n, "phase": p, "description": t} for n, p, t in rows]},
    )


@click.command()
@click.option("--phase", help="Only those of one phase.")
@answering
def sabotages(phase: str | None) -> Reply:
    """
    List the sabotages: what each takes away, and which checks it must turn red.

    \b
    Example:
      playbook sabotages --phase 30
    """
    if phase is not None:
        find_phase(phase)
    found = [s for s in registry().sabotages if phase in (None, s.phase)]
    rows = [(s.phase, s.name, s.protection, s.mechanism, ", ".join(s.kills) or "(harmless)", s.profile) for s in found]
    pairs = len({s.pair for s in found if not s.harmless})

    def show(console: Console) -> None:
        columns = ("phase", "sabotage", "protection", "mechanism", "must turn red", "profile")
        console.print(table("", columns, rows))
        harmless = sum(s.harmless for s in found)
        console.print(f"{len(found) - harmless} sabotages, {pairs} distinct pairs; {harmless} harmless changes")

    return Reply(show=show, data={"sabotages": [_sabotage(s) for s in found], "distinct": pairs})


def _check(one: Check) -> dict[str, JsonValue]:
    return {
        "id": one.id,
        "phase": one.phase,
        "title": one.title,
        "severity": one.severity,
        "why": one.why,
        "how": one.how,
        "remedy": one.remedy,
        "killed_by": [*registry().killers(one.id)],
    }


def _sabotage(one: Sabotage) -> dict[str, JsonValue]:
    return {
        "name": one.name,
        "phase": one.phase,
        "title": one.title,
        "protection": one.protection,
        "mechanism": one.mechanism,
        "kind": _KINDS.get(type(one.fault), "sql"),
        "kills": {check: list(subjects) for check, subjects in one.kills.items()},
        "harmless": one.harmless,
        "profile": one.profile,
    }


commands = {"list": list_, "explain": explain, "switches": switches, "sabotages": sabotages}
