from __future__ import annotations

from pathlib import Path

import pytest

from playbook.evidence.verify import verify
from playbook.places import places
from playbook.run.execute import execute
from playbook.run.plan import Asked, make_plan
from playbook.run.progress import Progress

pytestmark = pytest.mark.unit


def broken(*_args: object, **_named: object) -> None:
    raise ZeroDivisionError("on purpose")


class TestDefect:
    """A run that a defect ends is sealed, and says so."""

    def test_is_told_and_sealed(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("playbook.run.execute.create_stack", broken)
        plan = make_plan(Asked(scenario="reference", phases=("00",)), places())
        with Progress(home=tmp_path) as progress:
            done = execute(plan, home=tmp_path, here=places(), progress=progress, render=None)
        assert done.exit_code == 70
        assert done.run.record.outcome == "error"
        told = [one.message for one in done.run.record.problems]
        assert "a defect of the playbook: ZeroDivisionError: on purpose" in told
        verified = verify(done.run.folder)
        assert verified.ok, verified.findings
