from __future__ import annotations

import sys
from pathlib import Path

import pytest
from playwright.sync_api import Page

sys.path.insert(0, str(Path(__file__).parents[1] / "report"))

from report_fixtures import events_of_a_rich_run, run_of

from playbook.places import places
from playbook.report.html import render_html
from playbook.report.requirements import read_mappings
from playbook.run.phases import registry

pytestmark = pytest.mark.browser

A4_WIDTH_PX = 794
MOST_PAGES = 25


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    mappings = read_mappings(places().data / "mappings.yaml")
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_bytes(render_html(run_of(events_of_a_rich_run()), checks=registry().checks, mappings=mappings))
    return path


@pytest.fixture
def asked(page: Page, report: Path) -> list[str]:
    """
    What the browser asks for when the report is opened from a disk.
    """
    wanted: list[str] = []
    page.on("request", lambda request: wanted.append(request.url))
    page.on("console", lambda message: wanted.append(message.text))
    page.goto(report.as_uri())
    return wanted


class TestOpenedFromDisk:
    """The report needs nothing but itself."""

    def test_asks_for_nothing(self, asked: list[str], report: Path) -> None:
        assert [url for url in asked if url != report.as_uri() and not url.startswith("data:")] == []

    @pytest.mark.usefixtures("asked")
    def test_nothing_of_the_evidence_runs(self, page: Page) -> None:
        assert page.locator("script, iframe, object, [onerror]").count() == 0

    @pytest.mark.usefixtures("asked")
    def test_every_picture_is_drawn(self, page: Page) -> None:
        drawn = page.eval_on_selector_all("img", "all => all.map(one => one.complete && one.naturalWidth > 0)")
        assert drawn
        assert all(drawn)

    @pytest.mark.usefixtures("asked")
    def test_the_verdict_is_one_line(self, page: Page) -> None:
        line = page.locator(".verdict strong").bounding_box()
        assert line is not None
        assert line["height"] < 30

    @pytest.mark.usefixtures("asked")
    def test_what_is_missing_is_seen_without_scrolling(self, page: Page) -> None:
        gaps = page.locator(".gaps").bounding_box()
        assert gaps is not None
        assert gaps["y"] < 400


@pytest.mark.usefixtures("asked")
class TestOnPaper:
    """It fits on A4, and nothing is cut off at the right."""

    def test_nothing_is_wider_than_the_paper(self, page: Page) -> None:
        page.emulate_media(media="print")
        page.set_viewport_size({"width": A4_WIDTH_PX, "height": 1100})
        assert page.evaluate("document.documentElement.scrollWidth") <= A4_WIDTH_PX

    def test_prints(self, page: Page) -> None:
        paper = page.pdf(prefer_css_page_size=True)
        assert paper.startswith(b"%PDF")
        assert 1 <= paper.count(b"/Type /Page\n") <= MOST_PAGES
