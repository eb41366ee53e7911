"""
Owns running one phase's notebook in batch: its source kept beside, its outputs redacted, its end told truly.
"""

from __future__ import annotations

import hashlib
import subprocess
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

import nbformat
from papermill.exceptions import PapermillExecutionError
from papermill.execute import execute_notebook

from playbook.evidence.attachments import write_whole
from playbook.evidence.client import DirectEmitter
from playbook.evidence.events import CellStatus, PhaseEnded, PhaseStarted
from playbook.evidence.folder import RunFolder
from playbook.places import Places
from playbook.run.begin import phase_plan
from playbook.run.engine import ENGINE, cell_ends
from playbook.run.kernels import StartedKernel
from playbook.run.plan import PhasePlanned
from playbook.target.scenario import Profile

__all__ = ["CELL_LIMITS_S", "Batch", "run_phase", "run_phases", "to_start_ahead"]

CELL_LIMITS_S: dict[Profile, float] = {"quick": 900.0, "standard": 3600.0, "quarterly": 4 * 3600.0}
"""No cell takes longer, in seconds: a trial of every fault takes a whole cell."""
VERDICTS = ("VerdictFailed", "VerdictUndecided")


@dataclass(frozen=True, slots=True)
class Batch:
    """
    What all phases of a batch run share; `room` is a private folder that goes with the stack.
    """

    folder: RunFolder
    emitter: DirectEmitter
    here: Places
    room: Path
    environment: Mapping[str, str]
    cell_limit_s: float

    def start_kernel(self) -> StartedKernel:
        """
        Start a kernel for one of the phases, before its turn.
        """
        return StartedKernel(env=self.environment, cwd=self.here.notebooks, room=self.room, prepared=True)


def run_phases(phases: Sequence[PhasePlanned], batch: Batch, first: StartedKernel | None = None) -> None:
    """
    Run the phases' notebooks one after another.

    While one runs, the next one's kernel is started, but not beside a phase that measures (DESIGN §10): the kernels of
    those and of the one after them are started before. `first` is a kernel that was started already.
    """
    ahead = deque([first] if first is not None else [])
    try:
        for number, planned in enumerate(phases):
            kernel = ahead.popleft() if ahead else None
            if not planned.phase.measures:
                ahead.extend(batch.start_kernel() for _ in range(to_start_ahead(phases[number + 1 :]) - len(ahead)))
            run_phase(planned, batch, kernel)
    finally:
        for one in ahead:
            one.close()


def to_start_ahead(phases: Sequence[PhasePlanned]) -> int:
    """
    Count the phases up to the first that does not measure, that one included.
    """
    measuring = sum(1 for _ in takewhile(lambda one: one.phase.measures, phases))
    return min(measuring + 1, len(phases))


def run_phase(planned: PhasePlanned, batch: Batch, kernel: StartedKernel | None = None) -> None:
    """
    Run one phase's notebook, and write down how it began and ended.
    """
    name = planned.phase.notebook
    source = planned.notebook.read_bytes()
    write_whole(batch.folder.notebooks / f"{name}.source.ipynb", source)
    batch.emitter.emit(
        PhaseStarted(
            plan=phase_plan(planned),
            parameters=dict(planned.parameters),
            source_sha256=hashlib.sha256(source).hexdigest(),
            edited=_is_edited(planned.notebook, batch.here.root),
        )
    )
    begun = time.monotonic()
    executed = batch.room / f"{name}.ipynb"
    reason: str | None = None
    try:
        _papermill(planned, executed, batch, kernel)
    except PapermillExecutionError as err:
        if err.ename not in VERDICTS:
            reason = f"{err.ename}: {err.evalue}"
    except RuntimeError as err:  # nbclient's, of a kernel that does not get ready or dies between cells
        reason = f"{type(err).__name__}: {err}"
    finally:
        cells = _keep(executed, batch, name)
    stopped = next((c for c in cells if c.status in ("timed_out", "dead_kernel")), None)
    batch.emitter.emit(
        PhaseEnded(
            phase=planned.phase.id,
            outcome="error" if reason or stopped else "pass",
            code="crashed" if reason or stopped else None,
            reason=reason,
            cells=cells,
            executed_sha256=hashlib.sha256((batch.folder.notebooks / f"{name}.ipynb").read_bytes()).hexdigest(),
            duration_s=round(time.monotonic() - begun, 3),
        )
    )


def _papermill(planned: PhasePlanned, executed: Path, batch: Batch, kernel: StartedKernel | None) -> None:
    with kernel or batch.start_kernel() as started:
        execute_notebook(
            str(planned.notebook),
            str(executed),
            parameters=dict(planned.parameters),
            engine_name=ENGINE,
            progress_bar=False,
            cell_limit_s=batch.cell_limit_s,
            kernel=started,
        )


def _keep(executed: Path, batch: Batch, name: str) -> tuple[CellStatus, ...]:
    """
    Move the executed notebook into the run, redacted; a notebook that was not even begun is kept as its source.
    """
    kept = batch.folder.notebooks / f"{name}.ipynb"
    text = executed.read_bytes() if executed.is_file() else (kept.with_suffix(".source.ipynb")).read_bytes()
    write_whole(kept, batch.emitter.redactor.content(text, name=kept.name))
    ends = cell_ends(nbformat.reads(kept.read_text(encoding="utf-8"), as_version=4))
    executed.unlink(missing_ok=True)
    return tuple(CellStatus(id=e.id, status=e.status, duration_s=e.duration_s) for e in ends)


def _is_edited(notebook: Path, root: Path) -> bool:
    """
    Say whether git sees a difference to the committed notebook; outside git it cannot be told, and is not edited.
    """
    words: Sequence[str] = ("git", "diff", "--quiet", "HEAD", "--", str(notebook))
    try:
        done = subprocess.run(words, cwd=root, capture_output=True, check=False, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 1
