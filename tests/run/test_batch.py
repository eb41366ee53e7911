from __future__ import annotations

import os
import signal
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from playbook.evidence.client import DirectEmitter
from playbook.evidence.events import Event, PhaseEnded
from playbook.evidence.folder import RunFolder
from playbook.evidence.redact import Redactor
from playbook.places import places
from playbook.run.batch import Batch, run_phase, to_start_ahead
from playbook.run.plan import Asked, make_plan


class TestKernelsAhead:
    """Beside a phase that measures no kernel starts: its own and the next ones' are there before."""

    @pytest.mark.parametrize(
        ("phases", "count"),
        [(("50", "60", "70"), 3), (("50", "60"), 2), (("30", "50", "60", "70"), 1), (("70",), 1), ((), 0)],
    )
    def test_count(self, phases: tuple[str, ...], count: int) -> None:
        planned = make_plan(Asked(scenario="reference", phases=("20", *phases)), places()).phases
        assert to_start_ahead([one for one in planned if one.phase.id in phases]) == count


@pytest.mark.notebook
class TestDeadKernel:
    """A kernel that is dead before its first cell ends the phase, not the run: it is written down as crashed."""

    def test_it_is_written_down(self, tmp_path: Path) -> None:
        (tmp_path / "kept").mkdir()
        (tmp_path / "room").mkdir()
        events: list[Event] = []
        batch = Batch(
            cast("RunFolder", SimpleNamespace(notebooks=tmp_path / "kept")),
            cast("DirectEmitter", SimpleNamespace(emit=events.append, redactor=Redactor())),
            places(),
            tmp_path / "room",
            dict(os.environ),
            cell_limit_s=30.0,
        )
        planned = make_plan(Asked(scenario="reference", phases=("30",)), places()).phases[-1]
        kernel = batch.start_kernel()
        assert kernel.manager.provisioner is not None
        os.kill(kernel.manager.provisioner.pid, signal.SIGKILL)
        run_phase(planned, batch, kernel)
        ended = events[-1]
        assert isinstance(ended, PhaseEnded)
        assert (ended.phase, ended.outcome, ended.code) == ("30", "error", "crashed")
        assert "RuntimeError: Kernel died" in (ended.reason or "")
        assert {cell.status for cell in ended.cells} == {"not_run"}
