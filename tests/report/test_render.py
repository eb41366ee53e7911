from __future__ import annotations

import subprocess
import sys

import pytest
from report_fixtures import events_of_a_rich_run, run_of

from playbook.evidence.run import Run
from playbook.report import render_all

pytestmark = pytest.mark.unit


class TestRender:
    """What sealing writes follows from the run alone."""

    def test_makes_the_three_files(self, rich_run: Run) -> None:
        assert sorted(render_all(rich_run)) == ["checks.csv", "junit.xml", "report.html"]

    def test_the_same_run_gives_the_same_files(self, rich_run: Run) -> None:
        assert render_all(rich_run) == render_all(run_of(events_of_a_rich_run()))

    def test_importing_it_does_not_import_what_only_drawing_needs(self) -> None:
        code = "import sys, playbook.report, playbook.notebook; print({'matplotlib', 'jinja2'} & set(sys.modules))"
        seen = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert seen.stdout.strip() == "set()"
