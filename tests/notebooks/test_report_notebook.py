from __future__ import annotations

import shutil
from pathlib import Path

import nbformat
import pytest

from playbook.evidence.run import read_run
from playbook.places import places
from playbook.run.closing import NOTEBOOK, closing
from playbook.run.review import open_report

pytestmark = pytest.mark.notebook

KEPT = min((Path(__file__).parents[1] / "evidence" / "fixtures" / "v1").glob("2*"))


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(shutil.copytree(KEPT, tmp_path_factory.mktemp("home") / KEPT.name))


@pytest.fixture(scope="module")
def files(run: Path) -> dict[str, bytes]:
    told: list[str] = []
    made = dict(closing(places(), say=told.append)(read_run(run)))
    assert told == []
    return made


class TestClosing:
    """Closing a run executes notebook 90 on it, which shows what the report shows."""

    def test_the_notebook_is_kept_with_its_source(self, files: dict[str, bytes]) -> None:
        assert {f"notebooks/{NOTEBOOK}.ipynb", f"notebooks/{NOTEBOOK}.source.ipynb", "report.html"} <= set(files)

    def test_every_cell_ran_and_shows_something(self, files: dict[str, bytes]) -> None:
        notebook = nbformat.reads(files[f"notebooks/{NOTEBOOK}.ipynb"].decode(), as_version=4)
        cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
        assert {cell.metadata["playbook"]["status"] for cell in cells} == {"ok"}
        silent = [cell.id for cell in cells if not cell.outputs and "parameters" not in cell.id]
        assert [name for name in silent if name in {"open", "gaps", "matrix", "kills", "controls", "verdict"}] == []

    def test_it_says_the_same_first_line_as_the_report(self, files: dict[str, bytes], run: Path) -> None:
        line = open_report(run=str(run)).page.verdict.headline
        assert line in files["report.html"].decode()
        notebook = nbformat.reads(files[f"notebooks/{NOTEBOOK}.ipynb"].decode(), as_version=4)
        (last,) = notebook.cells[-1].outputs
        assert last.data["text/plain"].splitlines()[0] == line

    def test_it_writes_nothing_into_the_run(self, files: dict[str, bytes], run: Path) -> None:
        del files
        there = {str(path.relative_to(run)): path.read_bytes() for path in run.rglob("*") if path.is_file()}
        assert there == {str(p.relative_to(KEPT)): p.read_bytes() for p in KEPT.rglob("*") if p.is_file()}
