"""
Owns the commands about time: history and due. Read-only.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click
from pydantic import JsonValue
from rich.console import Console

from playbook.cli.outputs import writing
from playbook.cli.past import read_held, require_known
from playbook.cli.reply import Reply, answering, table
from playbook.cli.runs import evidence_option, find_home, now
from playbook.cli.trust import find_allowed, signers_option
from playbook.evidence.index import read_index
from playbook.evidence.outcome import Exit
from playbook.figures.marks import MARKS
from playbook.places import places
from playbook.report.due import CADENCES, Due, Rules, due_of
from playbook.report.held import Held
from playbook.report.history import CheckLine, check_lines
from playbook.report.ics import render_ics
from playbook.report.wording import spell_duration
from playbook.target.scenario import Scenario, find_scenario, read_scenario

__all__ = ["commands"]


@click.command()
@click.argument("checks", nargs=-1, metavar="[CHECK]...")
@click.option("--scenario", help="Only runs of this scenario.")
@click.option("--last", type=click.IntRange(min=1), default=30, show_default=True, help="How many runs, the newest.")
@signers_option
@evidence_option
@answering
def history(
    checks: tuple[str, ...], scenario: str | None, last: int, allowed_signers: Path | None, evidence: Path | None
) -> Reply:
    """
    Show the runs there are, and each check's outcomes through them, oldest first. Read-only.

    Every run is verified; one that does not verify says so. The last line is the index's head: publish it elsewhere,
    and `verify --anchor HEAD` shows later that nothing before it was changed.

    \b
    Examples:
      playbook history
      playbook history rows.read.cross-tenant-denied --last 12
    """
    home = find_home(evidence)
    held = read_held(home, find_allowed(allowed_signers))
    require_known(checks, held)
    runs = [run for run in held if scenario in (None, run.scenario)][-last:]
    lines = [line for line in check_lines(runs) if not checks or line.check in checks]
    head = read_index(home).head

    def show(console: Console) -> None:
        if not runs:
            console.print("there is no run")
            return
        columns = ("run", "profile", "runner", "outcome", "took", "signed by", "")
        console.print(table("", columns, [_row(run) for run in runs]))
        console.print(table("", ("check", "outcomes", "took"), [(x.check, x.signs, x.bars) for x in lines]))
        console.print(f"index head: {head}", markup=False)

    return Reply(
        show=show,
        data={
            "runs": [_run(run) for run in runs],
            "lines": [_line(line) for line in lines],
            "index_head": head,
        },
    )


@click.command()
@click.argument("scenarios", nargs=-1, metavar="[SCENARIO]...")
@click.option("--ics", type=click.Path(path_type=Path, dir_okay=False), help="Write the dates as a calendar, too.")
@signers_option
@evidence_option
@answering
def due(scenarios: tuple[str, ...], ics: Path | None, allowed_signers: Path | None, evidence: Path | None) -> Reply:
    """
    Say when the next drill is due: weekly any, monthly a standard, quarterly a quarterly run. Exits 1 when overdue.

    Only sealed runs in batch, of committed sources and unedited notebooks, with nothing left out, count; where the
    scenario asks for signatures, only signed ones. A run that failed was held; one that is an error was not.

    \b
    Examples:
      playbook due
      playbook due reference --ics drills.ics
    """
    moment = now()
    folder = places().data / "scenarios"
    named = scenarios or tuple(sorted(path.stem for path in folder.glob("*.yaml")))
    asked = [read_scenario(find_scenario(name, folder)) for name in named]
    runs = read_held(find_home(evidence), find_allowed(allowed_signers))
    found = [one for scenario in asked for one in due_of(runs, _rules(scenario), now=moment)]
    overdue = any(one.overdue for one in found)
    if ics is not None:
        with writing("--ics", ics):
            ics.write_bytes(render_ics(found, now=moment))

    def show(console: Console) -> None:
        columns = ("", "scenario", "cadence", "due", "last held")
        console.print(table("", columns, [_due_row(one) for one in found]))
        for one in found:
            for run_id, why in one.ignored[-3:]:
                console.print(f"{one.cadence}: {run_id} does not count: {why}", markup=False)
        for line in _waivers(asked, moment.date().isoformat()):
            console.print(line, markup=False)

    return Reply(
        show=show,
        outcome="fail" if overdue else "pass",
        exit_code=Exit.FAIL if overdue else Exit.OK,
        data={"due": [_due(one) for one in found], "now": moment.isoformat(), "ics": str(ics) if ics else None},
    )


def _rules(scenario: Scenario) -> Rules:
    # Imported late: it knows every domain's checks, and a mistyped option should not wait for them.
    from playbook.run.phases import PHASES  # noqa: PLC0415

    return Rules(scenario.name, scenario.phases or tuple(phase.id for phase in PHASES), scenario.signatures)


def _row(run: Held) -> tuple[str, ...]:
    mark = MARKS[run.outcome]
    took = spell_duration(run.duration_s) if run.duration_s is not None else "-"
    changed = "uncommitted changes" if run.dirty else ""
    notes = [run.refused or "", changed, *(f"without {name}" for name in run.without)]
    signed = ", ".join(run.signers) or "-"
    told = ", ".join(note for note in notes if note)
    return (run.run_id, run.profile or "-", run.runner, f"{mark.glyph} {mark.word}", took, signed, told)


def _due_row(one: Due) -> tuple[str, ...]:
    held = f"{one.last.started:%Y-%m-%d} ({one.last.outcome}) {one.last.run_id}" if one.last else "never"
    return ("✖ overdue" if one.overdue else "✔", one.scenario, one.cadence, f"{one.due:%Y-%m-%d %H:%M}", held)


def _waivers(scenarios: Sequence[Scenario], today: str) -> list[str]:
    return [
        f"waiver of {w.check} by {w.owner} "
        + (f"ended on {w.expires}: it fails now" if w.expires.isoformat() < today else f"ends on {w.expires}")
        for scenario in scenarios
        for w in scenario.waivers
    ]


def _run(run: Held) -> dict[str, JsonValue]:
    return {
        "id": run.run_id,
        "scenario": run.scenario,
        "profile": run.profile,
        "runner": run.runner,
        "outcome": run.outcome,
        "code": run.code,
        "started": run.started.isoformat(),
        "duration_s": run.duration_s,
        "dirty": run.dirty,
        "phases": [*run.phases],
        "without": [*run.without],
        "signers": [*run.signers],
        "refused": run.refused,
    }


def _line(line: CheckLine) -> dict[str, JsonValue]:
    return {"check": line.check, "outcomes": [*line.outcomes], "durations_s": [*line.durations_s]}


def _due(one: Due) -> dict[str, JsonValue]:
    return {
        "scenario": one.scenario,
        "cadence": one.cadence,
        "profile": CADENCES[one.cadence],
        "last": one.last.run_id if one.last else None,
        "last_outcome": one.last.outcome if one.last else None,
        "due": one.due.isoformat(),
        "overdue": one.overdue,
        "ignored": [{"run": run_id, "reason": why} for run_id, why in one.ignored],
    }


commands = {"history": history, "due": due}
