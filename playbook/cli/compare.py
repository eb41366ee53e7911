"""
Owns `compare`: what changed from one run to another.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from pathlib import Path

import click
from pydantic import JsonValue
from rich.console import Console

from playbook.cli.past import read_alike
from playbook.cli.reply import Reply, answering
from playbook.cli.runs import evidence_option, find_run
from playbook.errors import EvidenceError
from playbook.evidence.folder import RunFolder
from playbook.evidence.outcome import Outcome, exit_for
from playbook.evidence.record import RunRecord
from playbook.evidence.verify import verify
from playbook.places import places
from playbook.report.backends import read_backends, undeclared
from playbook.report.compare import Change, Comparison, compare_runs
from playbook.report.comparison_text import backend_lines, comparison_lines

__all__ = ["commands"]


@click.command()
@click.argument("before", metavar="A")
@click.argument("after", metavar="B", default="latest")
@evidence_option
@answering
def compare(before: str, after: str, evidence: Path | None) -> Reply:
    """
    Say what changed from run A to run B: outcomes, controls, times, figures, versions. Read-only.

    Phases that only one of the two holds are named and not compared; without any that both hold it exits 5.
    Exits 1 on regression: a check fails, is not answered or not asked any more, a sabotage is not caught any more, or
    the run as a whole ended worse.
    Times and figures are told, and only beyond the noise of repeats (at least three runs alike); they decide nothing.
    Between runs on different backends every outcome must be the same but for what data/backends.yaml lists, else 1.

    \b
    Example:
      playbook compare latest~1 latest
    """
    folders = [find_run(ref, evidence) for ref in (before, after)]
    old, new = (_read(folder) for folder in folders)
    found = compare_runs(old, new, repeats=read_alike(folders[0].home, old))
    strange = undeclared(found, read_backends(places().data / "backends.yaml"))
    decided: Outcome = "fail" if strange else found.outcome

    def show(console: Console) -> None:
        for line in comparison_lines(found):
            console.print(line, markup=False)
        for line in backend_lines(found, strange):
            console.print(line, markup=False)

    return Reply(
        show=show,
        outcome=decided,
        checks=[result for phase in new.phases for result in phase.counted if _is_changed(result.key, found)],
        exit_code=exit_for(decided),
        data={**_document(found), "undeclared": _plain(strange)},
    )


def _read(folder: RunFolder) -> RunRecord:
    verified = verify(folder.path)
    if not verified.ok or verified.record is None:
        raise EvidenceError(verified.sentence, hint="Compare runs that verify.", code="not-verified")
    return verified.record


def _is_changed(key: tuple[str, str, str], found: Comparison) -> bool:
    return any(key[:2] == (one.check, one.subject or "") for one in (*found.new_fails, *found.lost, *found.mended))


def _document(found: Comparison) -> dict[str, JsonValue]:
    changes: dict[str, Sequence[Change]] = {
        "new_fails": found.new_fails,
        "lost": found.lost,
        "mended": found.mended,
        "waived": found.waived,
        "vanished": found.vanished,
        "appeared": found.appeared,
    }
    return {
        "a": {"id": found.before.run_id, "outcome": found.before.outcome},
        "b": {"id": found.after.run_id, "outcome": found.after.outcome},
        "compared": [*found.compared],
        "only_a": [phase.id for phase in found.only_before],
        "only_b": [phase.id for phase in found.only_after],
        "regression": found.regression,
        "looks_like": [*found.looks_like],
        "problems": [*found.problems],
        **{name: _plain(those) for name, those in changes.items()},
        "controls": _plain(found.controls),
        "slower": _plain(found.slower),
        "drift": _plain(found.drift),
        "versions": _plain(found.versions),
        "conditions": _plain(found.conditions),
    }


def _plain(rows: Iterable[object]) -> list[JsonValue]:
    return [dataclasses.asdict(row) for row in rows if dataclasses.is_dataclass(row) and not isinstance(row, type)]


commands = {"compare": compare}
