"""
Owns `open_report`: how notebook 90 finds the run that it shows. It writes nothing into a run, and adds no check.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from playbook.errors import InputError
from playbook.evidence.folder import evidence_home, open_interactive, resolve_run, workplace_of
from playbook.evidence.run import Run, read_run
from playbook.places import Places, places
from playbook.report.page import Page, page_of
from playbook.report.requirements import read_mappings
from playbook.report.verdict import Verdict, verdict_of
from playbook.run.phases import registry

__all__ = ["Review", "Shown", "open_report"]


@dataclass(frozen=True, slots=True, repr=False)
class Shown:
    """
    A run's verdict as the last cell shows it.
    """

    verdict: Verdict

    def __repr__(self) -> str:
        return "\n".join([self.verdict.headline, *(f"  {gap}" for gap in self.verdict.gaps)])


@dataclass(frozen=True, slots=True)
class Review:
    """
    One run as far as it went, and its report's page.
    """

    run: Run
    page: Page

    def verdict(self) -> Shown:
        """
        Return the run's verdict. It only shows: each phase has raised its own.
        """
        return Shown(verdict_of(self.run.record))


def open_report(*, scenario: str = "reference", run: str = "") -> Review:
    """
    Open a run to be shown: the one named, else that of PLAYBOOK_RUN, else the open one by hand, else the latest.

    Read-only. Raises InputError when there is none, or it is of another scenario.
    """
    here = places()
    found = read_run(_folder(run, here, os.environ))
    if found.record.scenario != scenario:
        raise InputError(
            f"{found.record.run_id} is a run of scenario {found.record.scenario}, not of {scenario}",
            hint="Name its scenario, or another run.",
        )
    mappings = read_mappings(here.data / "mappings.yaml")
    return Review(found, page_of(found, checks=registry().checks, mappings=mappings))


def _folder(run: str, here: Places, environ: Mapping[str, str]) -> Path:
    home = evidence_home(None, environ=environ, default=here.evidence)
    if run:
        return resolve_run(run, home).path
    if environ.get("PLAYBOOK_RUN"):
        return Path(environ["PLAYBOOK_RUN"]).resolve()
    by_hand = open_interactive(home, workplace_of(here.root))
    return by_hand.path if by_hand else resolve_run("latest", home).path
