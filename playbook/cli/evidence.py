"""
Owns the commands about one run's evidence: report, close.
"""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path

import click
from rich.console import Console

from playbook.cli.outputs import writing
from playbook.cli.reply import Reply, answering
from playbook.cli.runs import evidence_option, find_run, now
from playbook.errors import EvidenceError
from playbook.evidence.events import RunEnded, StackDown
from playbook.evidence.log import EventLog
from playbook.evidence.outcome import Exit, exit_for
from playbook.evidence.run import read_run
from playbook.evidence.seal import seal
from playbook.places import places
from playbook.report.terminal import print_run
from playbook.run.render import render
from playbook.run.stacks import attach_stack, hand_name

__all__ = ["commands"]


@click.command()
@click.argument("ref", metavar="RUN", default="latest")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), help="Write the report's files there.")
@evidence_option
@answering
def report(ref: str, out: Path | None, evidence: Path | None) -> Reply:
    """
    Show a run's verdict and matrix; with --out, write report.html, checks.csv and junit.xml again.

    The sealed folder is never written to.

    \b
    Examples:
      playbook report latest
      playbook report latest --out /tmp/report
    """
    folder = find_run(ref, evidence)
    run = read_run(folder.path)
    written: list[str] = []
    if out is not None:
        files = render(run)
        with writing("--out", out):
            out.mkdir(parents=True, exist_ok=True)
            for name, content in files.items():
                (out / name).write_bytes(content)
                written.append(str(out / name))

    def show(console: Console) -> None:
        print_run(run.record, sys.stdout)
        for name in written:
            console.print(name, markup=False)

    return Reply(
        show=show,
        outcome=run.record.outcome,
        checks=run.results,
        exit_code=Exit.OK,
        data={"run": folder.run_id, "path": str(folder.path), "written": [*written]},
    )


@click.command()
@click.argument("ref", metavar="RUN", default="latest")
@click.option("--keep", is_flag=True, help="Leave the checkout's stack by hand running.")
@evidence_option
@answering
def close(ref: str, keep: bool, evidence: Path | None) -> Reply:  # noqa: FBT001 (click gives it by name)
    """
    Seal a run made by hand (JupyterLab, or plain papermill), and destroy its stack.

    Such runs say `runner: interactive` or `external`, and never count as a drill done.

    \b
    Example:
      playbook close latest
    """
    from playbook.run.closing import closing  # noqa: PLC0415 (papermill costs seconds, and `report` does without)

    folder = find_run(ref, evidence)
    condition = folder.condition()
    if condition not in ("open", "ended"):
        raise EvidenceError(
            f"{folder.run_id} is {condition}, not an open run by hand", hint="Only an open run can be closed."
        )
    with EventLog(folder.events, clock=now, hold=True) as log:
        if condition == "open":
            stack = None if keep else attach_stack(hand_name(places().root, folder.home))
            if stack is not None:
                log.append(StackDown(stack=stack.name, leftovers=stack.down().names))
            log.append(RunEnded(by="close"))
        seal(folder, log=log, render=closing(places(), say=partial(click.echo, err=True)))
    run = read_run(folder.path)
    return Reply(
        show=lambda _: print_run(run.record, sys.stdout),
        outcome=run.record.outcome,
        checks=run.results,
        exit_code=int(exit_for(run.record.outcome)),
        data={"run": folder.run_id, "path": str(folder.path)},
    )


commands = {"report": report, "close": close}
