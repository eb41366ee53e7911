"""
Debian's Chromium under Playwright, and a real JupyterLab server on loopback with notebooks of its own.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).parents[2]
CHROMIUM = "/usr/bin/chromium"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-dev-shm-usage"]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = CHROMIUM if Path(CHROMIUM).exists() else shutil.which("chromium")
    if path is None:
        pytest.skip("no Chromium: install Debian's package `chromium`")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield opened
        opened.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1400, "height": 1000})
    yield context.new_page()
    context.close()


@dataclass(frozen=True)
class Lab:
    url: str
    token: str
    notebooks: Path
    evidence: Path
    environment: dict[str, str]

    def address(self, notebook: str) -> str:
        return f"{self.url}/lab/workspaces/{secrets.token_hex(4)}/tree/{notebook}.ipynb?token={self.token}"

    def wait_for_kernel(self, notebook: str, limit_s: float = 60) -> None:
        """
        Wait until the notebook's kernel idles and the page listens: what is run before asks which kernel to take.
        """
        until = time.monotonic() + limit_s
        while time.monotonic() < until:
            sessions = httpx.get(f"{self.url}/api/sessions", params={"token": self.token}, timeout=5).json()
            kernels = [one["kernel"] for one in sessions if one["path"] == f"{notebook}.ipynb"]
            if any(one["execution_state"] == "idle" and one["connections"] for one in kernels):
                return
            time.sleep(0.3)
        pytest.fail("the kernel did not come in time")

    def playbook(self, *argv: str) -> subprocess.CompletedProcess[str]:
        words = [sys.executable, "-m", "playbook", *argv]
        return subprocess.run(
            words, cwd=ROOT, env=self.environment, capture_output=True, text=True, timeout=180, check=False
        )


@pytest.fixture(scope="session")
def lab(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """
    A server as `make lab` starts it, but on copies of the notebooks, and with all cells of a page drawn.
    """
    del browser  # without one there is no need for a server
    room = tmp_path_factory.mktemp("lab")
    notebooks = Path(shutil.copytree(ROOT / "notebooks", room / "notebooks"))
    settings = room / "config" / "labconfig"
    settings.mkdir(parents=True)
    whole = {"@jupyterlab/notebook-extension:tracker": {"windowingMode": "none"}}
    (settings / "default_setting_overrides.json").write_text(json.dumps(whole))
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PLAYBOOK_", "JUPYTER", "JPY_"))}
    kept.pop("PYTHONDONTWRITEBYTECODE", None)
    evidence = room / "evidence"
    environment = {
        **kept,
        "HOME": str(room),
        "IPYTHONDIR": str(room / "ipython"),
        "JUPYTER_CONFIG_DIR": str(room / "nothing"),
        "JUPYTER_CONFIG_PATH": f"{room / 'config'}{os.pathsep}{ROOT / 'env' / 'jupyter'}",
        "JUPYTER_RUNTIME_DIR": str(room / "runtime"),
        "PLAYBOOK_EVIDENCE": str(evidence),
        "PLAYBOOK_CONFIG": str(room / "keys"),
    }
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    token = secrets.token_hex(16)
    words = [sys.executable, "-m", "jupyterlab", "--no-browser", f"--ServerApp.port={port}"]
    words += ["--ServerApp.port_retries=0", f"--IdentityProvider.token={token}", str(notebooks)]
    with (room / "server.log").open("w") as log:
        server = subprocess.Popen(words, cwd=room, env=environment, stdout=log, stderr=subprocess.STDOUT)
        made = Lab(f"http://127.0.0.1:{port}", token, notebooks, evidence, environment)
        try:
            _wait_until_it_answers(made, server)
            yield made
        finally:
            server.terminate()
            server.wait(timeout=30)
            for run in evidence.glob("2*"):
                if not (run / "manifest.json").exists():
                    made.playbook("close", str(run))


def _wait_until_it_answers(lab: Lab, server: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        assert server.poll() is None, "the server ended"
        try:
            if httpx.get(f"{lab.url}/api", params={"token": lab.token}, timeout=2).is_success:
                return
        except httpx.HTTPError:
            time.sleep(0.2)
    pytest.fail("JupyterLab did not answer in time")
