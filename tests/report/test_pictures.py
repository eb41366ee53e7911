from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from report_fixtures import NASTY

from playbook.evidence.events import PhaseId
from playbook.evidence.record import PhaseRecord
from playbook.figures import Cell, CountedBar, OutcomeRow, outcome_counts, outcome_matrix
from playbook.figures.figure import Figure
from playbook.notebook import FigureView
from playbook.report.matrix import MatrixRow
from playbook.report.pictures import MOST_PICTURES, phase_pictures, read_pictures

pytestmark = pytest.mark.unit

COUNTS = outcome_counts([CountedBar(f"found {NASTY}", {"fail": 3, "pass": 1})])
MATRIX = outcome_matrix([OutcomeRow("a.b", (Cell("fail", "fail"), Cell("pass", "pass"), Cell("caught", "1 of 1")))])
ROW = MatrixRow("a.b", "-", "30", "high", Cell("fail", "fail"), Cell("pass", "pass"), Cell("caught", "1 of 1"), ())


def notebook(*html: str) -> bytes:
    cells = [{"cell_type": "code", "outputs": [{"data": {"text/html": text}}]} for text in html]
    return json.dumps({"cells": [{"cell_type": "markdown"}, *cells]}).encode()


def shown(figure: Figure) -> str:
    return FigureView(figure)._repr_html_()


def phase(folder: Path, content: bytes, *, digest: str | None = None, number: PhaseId = "30") -> PhaseRecord:
    (folder / "notebooks").mkdir(exist_ok=True)
    (folder / "notebooks" / "30_tenant_isolation.ipynb").write_bytes(content)
    return PhaseRecord(
        id=number,
        notebook="30_tenant_isolation",
        mode="harden",
        outcome="pass",
        executed_sha256=digest or hashlib.sha256(content).hexdigest(),
    )


class TestReading:
    """What a notebook shows is found again with its words and its data."""

    def test_a_figure_comes_back_whole(self) -> None:
        (picture,) = read_pictures(notebook(shown(COUNTS)))
        assert (picture.name, picture.uri, picture.alt) == (COUNTS.name, COUNTS.png_uri, COUNTS.alt)
        assert (picture.columns, picture.rows) == (COUNTS.table.columns, COUNTS.table.rows)
        assert picture.caption == COUNTS.title

    def test_words_stay_text(self) -> None:
        (picture,) = read_pictures(notebook(shown(COUNTS)))
        assert NASTY in picture.rows[0][0]

    @pytest.mark.parametrize(
        "source",
        [
            "http://127.0.0.1/x.png",
            "data:image/svg+xml;base64,PHN2Zy8+",
            "data:image/png;base64,bm90IGEgcGljdHVyZQ==",
            "data:image/png;base64,%%%",
            "javascript:alert(1)",
        ],
    )
    def test_only_a_png_that_stands_in_the_cell_is_a_picture(self, source: str) -> None:
        assert read_pictures(notebook(f'<figure><img src="{source}" alt="x"></figure>')) == ()

    @pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"cells": [{"outputs": [{"data": 3}]}]}', b"\xff"])
    def test_a_document_that_does_not_read_has_none(self, content: bytes) -> None:
        assert read_pictures(content) == ()


class TestChoice:
    """Each phase has its own pictures, else the matrix of its checks."""

    def test_its_own_go_before_the_matrix(self, tmp_path: Path) -> None:
        record = phase(tmp_path, notebook(shown(MATRIX), *[shown(COUNTS)] * (MOST_PICTURES + 1)))
        assert [one.name for one in phase_pictures(record, tmp_path, [ROW])] == [COUNTS.name] * MOST_PICTURES

    def test_without_one_the_matrix_is_drawn(self, tmp_path: Path) -> None:
        record = phase(tmp_path, notebook("<p>nothing</p>"))
        (picture,) = phase_pictures(record, tmp_path, [ROW])
        assert picture.name == "outcome-matrix"
        assert "1 fail" in picture.alt

    def test_a_notebook_that_is_not_the_one_of_the_events_shows_nothing(self, tmp_path: Path) -> None:
        record = phase(tmp_path, notebook(shown(COUNTS)), digest="0" * 64)
        assert [one.name for one in phase_pictures(record, tmp_path, [ROW])] == ["outcome-matrix"]

    def test_a_phase_that_showed_nothing_has_none(self, tmp_path: Path) -> None:
        assert phase_pictures(phase(tmp_path, b"{}"), tmp_path, []) == ()
