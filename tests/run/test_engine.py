from __future__ import annotations

import os
from pathlib import Path

import nbformat
import papermill
import pytest
from papermill.exceptions import PapermillExecutionError

from playbook.run.engine import ENGINE, CellEnd, cell_ends

pytestmark = pytest.mark.notebook


def run(tmp_path: Path, *sources: str, limit_s: float = 30, env: dict[str, str] | None = None) -> list[CellEnd]:
    notebook = nbformat.v4.new_notebook()
    notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook.cells = [nbformat.v4.new_code_cell(text, id=f"cell-{n}") for n, text in enumerate(sources)]
    source, executed = tmp_path / "source.ipynb", tmp_path / "executed.ipynb"
    nbformat.write(notebook, source)
    raised = None
    try:
        papermill.execute_notebook(
            str(source),
            str(executed),
            engine_name=ENGINE,
            progress_bar=False,
            cell_limit_s=limit_s,
            kernel_env={**os.environ, **(env or {})},
        )
    except PapermillExecutionError as err:
        raised = err
    document = nbformat.read(executed, as_version=4)
    ends = cell_ends(document)
    assert (raised is None) == all(end.status == "ok" for end in ends)
    for cell in document.cells:
        ran = cell.metadata.get("playbook", {}).get("status")
        word = cell.metadata.get("papermill", {}).get("status")
        if word == "completed" and "papermill-error-cell-tag" not in cell.metadata.get("tags", []):
            assert ran == "ok", "papermill's own word must be true too"
    return ends


class TestCellStatus:
    """Each cell ends with the status that it really had."""

    def test_all_well(self, tmp_path: Path) -> None:
        assert [e.status for e in run(tmp_path, "x = 1", "assert x == 1")] == ["ok", "ok"]

    def test_exception(self, tmp_path: Path) -> None:
        assert [e.status for e in run(tmp_path, "1 / 0", "2")] == ["failed", "not_run"]

    def test_time_out(self, tmp_path: Path) -> None:
        ends = run(tmp_path, "1", "import time; time.sleep(60)", "3", limit_s=1)
        assert [e.status for e in ends] == ["ok", "timed_out", "not_run"]

    def test_dead_kernel(self, tmp_path: Path) -> None:
        ends = run(tmp_path, "1", "import os; os._exit(1)", "3")
        assert [e.status for e in ends] == ["ok", "dead_kernel", "not_run"]

    def test_environment_is_the_one_given(self, tmp_path: Path) -> None:
        ends = run(tmp_path, "import os; assert os.environ['HPK_TEST'] == 'yes'", env={"HPK_TEST": "yes"})
        assert [e.status for e in ends] == ["ok"]
