"""
Owns how commands name runs: --evidence and RUN.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import click

from playbook.evidence.folder import RunFolder, evidence_home, resolve_run
from playbook.evidence.run import Run
from playbook.evidence.seal import seal_interrupted
from playbook.places import places

__all__ = ["evidence_option", "find_home", "find_run", "now"]

evidence_option = click.option(
    "--evidence",
    type=click.Path(path_type=Path),
    help="Where runs are kept; else PLAYBOOK_EVIDENCE, else data/evidence.",
)


def now() -> datetime:
    """
    Tell the time.
    """
    return datetime.now(UTC)


def _render(run: Run) -> Mapping[str, bytes]:
    # Imported late: it knows every domain's checks, which only sealing a dead run needs.
    from playbook.run.render import render  # noqa: PLC0415

    return render(run)


def find_home(evidence: Path | None) -> Path:
    """
    Find the evidence home. Seals what dead runners left there.
    """
    home = evidence_home(evidence, environ=os.environ, default=places().evidence)
    seal_interrupted(home, clock=now, render=_render)
    return home


def find_run(ref: str, evidence: Path | None) -> RunFolder:
    """
    Find the run that a person names. Seals what dead runners left. Raises InputError when there is none.
    """
    return resolve_run(ref, find_home(evidence))
