"""
Owns what is made of a run when it is closed: its report's files, and notebook 90 executed on it.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from papermill.exceptions import PapermillExecutionError
from papermill.execute import execute_notebook

from playbook.evidence.outcome import Code
from playbook.evidence.redact import Redactor
from playbook.evidence.run import Run
from playbook.evidence.seal import Render
from playbook.places import Places
from playbook.run.engine import ENGINE
from playbook.run.kernels import StartedKernel
from playbook.run.render import render

__all__ = ["NOTEBOOK", "closing"]

NOTEBOOK = "90_report"
_CELL_LIMIT_S = 120.0
_STOPPED: Code = "interrupted"


def closing(here: Places, *, say: Callable[[str], None]) -> Render:
    """
    Make the callback that `seal` takes. Executes notebook 90; an interrupted run goes without, nobody waits for it.
    """

    def made(run: Run) -> Mapping[str, bytes]:
        if run.record.code == _STOPPED:
            return render(run)
        with ThreadPoolExecutor(1) as beside:
            shown = beside.submit(_executed, run, here, say)
            return {**render(run), **shown.result()}

    return made


def _executed(run: Run, here: Places, say: Callable[[str], None]) -> Mapping[str, bytes]:
    source = here.notebooks / f"{NOTEBOOK}.ipynb"
    record = run.record
    asked = {"scenario": record.scenario, "stack": record.backend, "profile": record.profile, "seed": record.seed}
    with tempfile.TemporaryDirectory(prefix="report-") as room:
        executed = Path(room) / source.name
        try:
            execute_notebook(
                str(source),
                str(executed),
                parameters={name: value for name, value in asked.items() if value is not None},
                engine_name=ENGINE,
                progress_bar=False,
                cell_limit_s=_CELL_LIMIT_S,
                kernel=StartedKernel(env=_environment(run.folder), cwd=source.parent, room=Path(room), prepared=True),
            )
        except PapermillExecutionError as err:
            say(f"notebook {NOTEBOOK} did not come to its end, and is kept as it is: {err.ename}: {err.evalue}")
        except RuntimeError as err:  # nbclient's, of a kernel that does not get ready
            say(f"notebook {NOTEBOOK} was not run, and is kept as it is: {err}")
        content = executed.read_bytes()
    return {
        f"notebooks/{NOTEBOOK}.ipynb": Redactor().content(content, name=f"{NOTEBOOK}.ipynb"),
        f"notebooks/{NOTEBOOK}.source.ipynb": source.read_bytes(),
    }


def _environment(folder: Path) -> Mapping[str, str]:
    inherited = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    return {**inherited, "PLAYBOOK_RUN": str(folder), "PLAYBOOK_PREFIX": sys.prefix}
