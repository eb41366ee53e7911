"""
Owns what the report's page says, section by section, computed before any markup is written.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from playbook.evidence.events import Mode, RunStarted
from playbook.evidence.record import PhaseRecord, Problem, RunRecord
from playbook.evidence.run import Run
from playbook.figures.figure import Figure
from playbook.proof.check import Check
from playbook.report.glance import glance_of
from playbook.report.kills import SabotageRow, sabotage_rows
from playbook.report.matrix import MatrixRow, SubjectRow, matrix_of
from playbook.report.pictures import Picture, phase_pictures
from playbook.report.requirements import Mappings, RequirementRow, control_rows, requirement_rows
from playbook.report.standards import StandardRow
from playbook.report.troubles import BAD, Trouble, troubles_of
from playbook.report.verdict import Verdict, verdict_of
from playbook.report.wording import plain, spell_duration

__all__ = ["SUBJECT_LIMIT", "Page", "PhasePart", "page_of"]

SUBJECT_LIMIT = 40
"""Subjects shown per check, worst first; checks.csv has all."""


@dataclass(frozen=True, slots=True)
class PhasePart:
    """
    One phase: its record, its part of the matrix, and the notebooks that lie beside the report.
    """

    id: str
    title: str
    mode: Mode
    record: PhaseRecord
    duration: str
    rows: tuple[MatrixRow, ...]
    sabotages: tuple[SabotageRow, ...]
    notebooks: tuple[tuple[str, str], ...]
    pictures: tuple[Picture, ...]


@dataclass(frozen=True, slots=True)
class Page:
    """
    Everything that the template shows.
    """

    record: RunRecord
    verdict: Verdict
    truncated: bool
    phases: tuple[PhasePart, ...]
    problems: tuple[Problem, ...]
    troubles: tuple[Trouble, ...]
    inverted: tuple[SabotageRow, ...]
    requirements: tuple[RequirementRow, ...]
    controls: tuple[StandardRow, ...]
    not_covered: tuple[tuple[str, str, str], ...]
    glance: Figure | None
    rerun: str

    @property
    def standards(self) -> tuple[tuple[str, tuple[StandardRow, ...]], ...]:
        """
        The controls by standard, in the order of the file.
        """
        names = dict.fromkeys(row.standard for row in self.controls)
        return tuple((name, tuple(row for row in self.controls if row.standard == name)) for name in names)

    def shown_subjects(self, row: MatrixRow, limit: int) -> tuple[SubjectRow, ...]:
        """
        Subjects of a check, those that failed first, at most that many.
        """
        return tuple(sorted(row.subjects, key=_badness)[:limit])


def page_of(run: Run, *, checks: Sequence[Check] = (), mappings: Mappings | None = None) -> Page:
    """
    Compute the page from a run. Read-only; the same run gives the same page.
    """
    record = run.record
    whys = {check.id: check.why for check in checks}
    rows = matrix_of(record.results, record.kill_matrix, planned=_planned(run))
    sabotages = {phase.id: _of_phase(record, phase.id) for phase in record.phases}
    requirements = requirement_rows(record, mappings) if mappings else ()
    return Page(
        record=record,
        verdict=verdict_of(record),
        truncated=run.truncated,
        phases=tuple(_phase(phase, run.folder, rows, sabotages[phase.id]) for phase in record.phases),
        problems=record.problems,
        troubles=troubles_of(record, whys),
        inverted=tuple(row for found in sabotages.values() for row in found if row.harmless),
        requirements=requirements,
        controls=control_rows(requirements, mappings, record) if mappings else (),
        not_covered=_not_covered(record, requirements),
        glance=glance_of(rows, record.kill_matrix),
        rerun=rerun_command(record),
    )


def rerun_command(record: RunRecord) -> str:
    """
    Write the command that runs the same again. Nothing in it is executed here.
    """
    argv = ["playbook", "run", record.scenario]
    argv += ["--profile", record.profile] if record.profile else []
    argv += ["--stack", record.backend] if record.backend else []
    argv += ["--seed", str(record.seed)] if record.seed is not None else []
    without = record.parameters.get("without")
    for name in without if isinstance(without, list) else []:
        argv += ["--without", str(name)]
    return plain(shlex.join(argv))


def _planned(run: Run) -> Mapping[str, Sequence[str]]:
    planned = {phase.id: list[str]() for phase in run.record.phases}
    for entry in run.entries:
        if isinstance(entry.event, RunStarted):
            planned |= {plan.id: list(plan.checks) for plan in entry.event.phases}
    return planned


def _of_phase(record: RunRecord, phase: str) -> tuple[SabotageRow, ...]:
    return sabotage_rows(row for row in record.kill_matrix if row.phase == phase)


def _phase(phase: PhaseRecord, folder: Path, rows: Sequence[MatrixRow], sabotages: Sequence[SabotageRow]) -> PhasePart:
    own = tuple(row for row in rows if row.phase == phase.id)
    notebooks = []
    if phase.executed_sha256:
        notebooks.append(("executed", f"notebooks/{phase.notebook}.ipynb"))
    if phase.source_sha256:
        notebooks.append(("source", f"notebooks/{phase.notebook}.source.ipynb"))
    return PhasePart(
        id=phase.id,
        title=phase.notebook.partition("_")[2].replace("_", " "),
        mode=phase.mode,
        record=phase,
        duration=spell_duration(phase.duration_s),
        rows=own,
        sabotages=tuple(row for row in sabotages if not row.harmless),
        notebooks=tuple(notebooks),
        pictures=phase_pictures(phase, folder, own),
    )


def _not_covered(record: RunRecord, requirements: Sequence[RequirementRow]) -> tuple[tuple[str, str, str], ...]:
    named = {row.id: (row.id, row.title, row.why_not or "") for row in requirements if row.id in record.not_covered}
    unknown = {name: (name, "", "") for name in record.not_covered if name not in named}
    return tuple((named | unknown).values())


def _badness(row: SubjectRow) -> int:
    outcomes = {result.outcome for result in (row.hardened, row.found) if result}
    counted = row.hardened or row.found
    if counted and counted.outcome in BAD:
        return 0
    return 1 if outcomes.intersection(BAD) else 2
