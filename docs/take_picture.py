"""
Takes the README's picture: the top of a run's report, as Chromium shows it. `make picture ARGS=RUN`.
"""

from __future__ import annotations

import io
import os
import shutil
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

from playbook.evidence.folder import evidence_home, resolve_run
from playbook.evidence.run import read_run
from playbook.places import places
from playbook.run.render import render

OUT = Path(__file__).with_name("report.png")
SIZE = {"width": 1100, "height": 1180}
LARGEST = 200_000


def main(ref: str) -> None:
    """
    Render the run's report again, and keep its first screen in at most 200 kB.
    """
    here = places()
    run = read_run(resolve_run(ref, evidence_home(None, environ=os.environ, default=here.evidence)).path)
    chromium = shutil.which("chromium") or sys.exit("no Chromium: install Debian's package `chromium`")
    with tempfile.TemporaryDirectory() as room, sync_playwright() as playwright:
        page = Path(room) / "report.html"
        page.write_bytes(render(run)["report.html"])
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        view = browser.new_page(viewport=SIZE)  # type: ignore[arg-type]
        view.goto(page.as_uri())
        picture = view.screenshot()
        browser.close()
    for colours in (256, 64, 32):
        out = io.BytesIO()
        Image.open(io.BytesIO(picture)).convert("RGB").quantize(colours).save(out, "png", optimize=True)
        if out.tell() < LARGEST:
            break
    OUT.write_bytes(out.getvalue())
    print(f"{OUT}: {out.tell()} bytes, of run {run.record.run_id}")  # noqa: T201 (a script for people)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "latest")
