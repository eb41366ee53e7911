from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass

import nbformat
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.conftest import ROOT, Lab

pytestmark = [pytest.mark.browser, pytest.mark.stack]

NOTEBOOKS = [
    "10_bring_up",
    *(
        pytest.param(path.stem, marks=pytest.mark.soak)
        for path in sorted((ROOT / "notebooks").glob("*.ipynb"))
        if path.stem not in ("10_bring_up", "90_report")
    ),
]
"""One is run by hand in every test run, the other phases' by `make soak`."""

NOTEBOOK_S = 400
ONE_S = 90_000
"""Playwright counts in milliseconds."""


@dataclass
class Opened:
    """A notebook in JupyterLab, steered as a person does."""

    page: Page
    lab: Lab
    name: str

    def cell(self, words: str) -> Locator:
        """
        Find the code cell whose source holds these words.
        """
        return self.page.locator(".jp-CodeCell").filter(has=self.page.locator(".jp-InputArea-editor", has_text=words))

    def run_all(self) -> str:
        """
        Choose Run > Run All Cells; return the prompt of the last cell once it has run.
        """
        last = self.page.locator(".jp-CodeCell").last
        before = self.prompt(last)
        self.page.locator(".lm-MenuBar-itemLabel", has_text=re.compile("^Run$")).click()
        self.page.locator('li[data-command="runmenu:run-all"]').click()
        until = time.monotonic() + NOTEBOOK_S
        while not re.search(r"\[\d+\]", self.prompt(last)) or self.prompt(last) == before:
            assert time.monotonic() < until, "the last cell did not run in time"
            failed = self.page.locator('.jp-OutputArea-output[data-mime-type$="error"]')
            assert failed.count() == 0, failed.first.inner_text()
            self.page.wait_for_timeout(300)
        return self.prompt(last)

    def prompt(self, cell: Locator) -> str:
        return cell.locator(".jp-InputPrompt").first.inner_text()

    def outputs(self, words: str) -> Locator:
        return self.cell(words).locator(".jp-Cell-outputArea")

    def saved(self) -> nbformat.NotebookNode:
        """
        Save with Ctrl+S; return what lies on disk then.
        """
        self.page.keyboard.press("Escape")
        with self.page.expect_response(
            lambda answer: answer.request.method == "PUT" and "/api/contents/" in answer.url
        ):
            self.page.locator(".lm-MenuBar-itemLabel", has_text=re.compile("^File$")).click()
            self.page.locator('li[data-command="docmanager:save"]').click()
        path = self.lab.notebooks / f"{self.name}.ipynb"
        return nbformat.reads(path.read_text(encoding="utf-8"), as_version=4)


def opened(page: Page, lab: Lab, name: str) -> Opened:
    page.goto(lab.address(name))
    page.locator(".jp-Notebook .jp-CodeCell").last.wait_for(timeout=ONE_S)
    lab.wait_for_kernel(name)
    page.locator(".jp-StatusBar-TextItem", has_text="Idle").first.wait_for(timeout=ONE_S)
    return Opened(page, lab, name)


def html_of(notebook: nbformat.NotebookNode, cell: str) -> str:
    (found,) = [one for one in notebook.cells if one.id == cell]
    return "".join(
        json.dumps(output.get("data", {}).get("text/html", ""), ensure_ascii=False) for output in found.outputs
    )


@pytest.fixture(scope="module")
def closed(lab: Lab) -> Iterator[None]:
    """
    Seal the run by hand at the end, which destroys its stack.
    """
    yield
    done = lab.playbook("close", "latest")
    assert done.returncode in (0, 5), done.stderr  # 5: not every phase was run
    assert "verifies" in lab.playbook("verify", "latest").stdout


@pytest.fixture(scope="module", params=NOTEBOOKS)
def ran(request: pytest.FixtureRequest, browser: Browser, lab: Lab, closed: None) -> Iterator[Opened]:
    """
    A phase's notebook, after Run All and Run All again in the same kernel, without a run being started before.
    """
    context = browser.new_context(viewport={"width": 1400, "height": 1000})
    notebook = opened(context.new_page(), lab, request.param)
    first = notebook.run_all()
    expect(notebook.outputs("session.verdict()")).to_contain_text("✔ PASS", timeout=ONE_S)
    assert notebook.run_all() != first
    yield notebook
    context.close()


class TestByHand:
    """A phase's notebook runs by hand, runs again, and can be played with."""

    def test_the_second_run_passes_too(self, ran: Opened) -> None:
        expect(ran.outputs("session.verdict()")).to_contain_text("✔ PASS", timeout=ONE_S)

    def test_results_are_filtered(self, ran: Opened) -> None:
        shown = ran.outputs("check_table(session, hardened)")
        rows = shown.locator("table tbody tr")
        every = rows.count()
        assert every > 1
        shown.get_by_placeholder("filter").fill("nothing has these words")
        expect(rows).to_have_count(0)
        shown.get_by_placeholder("filter").fill("")
        expect(rows).to_have_count(every)

    def test_one_check_is_asked_again(self, ran: Opened) -> None:
        shown = ran.outputs("check_table(session, hardened)")
        passed = shown.locator("tbody tr", has_text="✔ pass").first.locator("th").inner_text().split()[0]
        shown.get_by_label("check", exact=True).select_option(passed)
        shown.get_by_role("button", name="rerun one").click()
        expect(shown).to_contain_text(f"{passed} was asked again: pass", timeout=ONE_S)

    def test_break_it_turns_red_and_heal_it_green(self, ran: Opened) -> None:
        shown = ran.outputs("break_it(session)")
        shown.get_by_role("button", name="break it").click()
        expect(shown).to_contain_text("The checks that it names are red", timeout=ONE_S)
        expect(shown).to_contain_text("✖ FAIL")
        assert "are red" in html_of(ran.saved(), "break-heal")
        shown.get_by_role("button", name="heal it").click()
        expect(shown).to_contain_text("The checks that it names are green", timeout=ONE_S)
        expect(shown).to_contain_text("✔ PASS")

    def test_what_was_seen_stands_on_disk_without_any_widget(self, ran: Opened) -> None:
        saved = ran.saved()
        assert "are green" in html_of(saved, "break-heal")
        assert "<table" in html_of(saved, "hardened")
        assert "<table" in html_of(saved, "found")


@pytest.mark.usefixtures("ran")
class TestReport:
    """Notebook 90 shows the run so far, as often as one likes."""

    def test_run_all_twice(self, page: Page, lab: Lab) -> None:
        notebook = opened(page, lab, "90_report")
        first = notebook.run_all()
        assert notebook.run_all() != first
        expect(notebook.outputs("session.verdict()")).to_contain_text("profile quick")
        assert "What this run does not show" in html_of(notebook.saved(), "gaps")
