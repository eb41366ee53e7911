from __future__ import annotations

import ast
import re

import nbformat
import pytest

from playbook.places import places
from playbook.run.parameters import read_declared
from playbook.run.phases import PHASES

pytestmark = pytest.mark.unit

NOTEBOOKS = sorted(places().notebooks.glob("*.ipynb"))


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def notebook(request: pytest.FixtureRequest) -> nbformat.NotebookNode:
    return nbformat.read(request.param, as_version=4)


def code_cells(notebook: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


class TestForm:
    """A committed notebook is thin, readable on paper, and carries nothing that a run left."""

    def test_each_phase_has_its_notebook(self) -> None:
        assert {phase.notebook for phase in PHASES} <= {path.stem for path in NOTEBOOKS}

    def test_is_valid(self, notebook: nbformat.NotebookNode) -> None:
        nbformat.validate(notebook)

    def test_has_no_outputs(self, notebook: nbformat.NotebookNode) -> None:
        assert [c.id for c in code_cells(notebook) if c.outputs or c.execution_count] == []

    def test_opens_with_title_purpose_side_effects_needs_and_next(self, notebook: nbformat.NotebookNode) -> None:
        first = notebook.cells[0]
        assert first.cell_type == "markdown"
        assert re.match(r"# \d\d · \w", first.source)
        for word in ("**Purpose.**", "**Side effects.**", "**Needs.**", "**Next.**"):
            assert word in first.source

    def test_ids_are_written_by_hand(self, notebook: nbformat.NotebookNode) -> None:
        assert [c.id for c in notebook.cells if not re.fullmatch(r"[a-z]+(-[a-z]+)*", c.id)] == []

    def test_code_cells_are_short(self, notebook: nbformat.NotebookNode) -> None:
        assert [c.id for c in code_cells(notebook) if len(c.source.splitlines()) > 8] == []

    def test_code_cells_define_nothing_and_catch_nothing(self, notebook: nbformat.NotebookNode) -> None:
        refused = (ast.FunctionDef, ast.ClassDef, ast.Try, ast.Lambda)
        for cell in code_cells(notebook):
            nodes = list(ast.walk(ast.parse(cell.source)))
            assert not [n for n in nodes if isinstance(n, refused)], cell.id

    def test_last_cell_is_the_verdict(self, notebook: nbformat.NotebookNode) -> None:
        assert notebook.cells[-1].source == "session.verdict()"

    def test_parameters_are_typed_and_each_is_explained(self, notebook: nbformat.NotebookNode) -> None:
        cell = next(c for c in notebook.cells if "parameters" in c.metadata.get("tags", []))
        for line in cell.source.splitlines():
            assert re.fullmatch(r"\w+: \w+ = .+  # .+", line), line

    def test_parameters_are_those_of_a_phase(self) -> None:
        for path in NOTEBOOKS:
            assert {"scenario", "stack", "profile", "seed"} <= set(read_declared(path))
