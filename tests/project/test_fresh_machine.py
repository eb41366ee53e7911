from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from playbook.places import places

pytestmark = pytest.mark.notebook

COREUTILS = [
    "basename",
    "cat",
    "chmod",
    "cp",
    "cut",
    "date",
    "dirname",
    "echo",
    "env",
    "expr",
    "false",
    "head",
    "id",
    "install",
    "ln",
    "ls",
    "mkdir",
    "mktemp",
    "mv",
    "nproc",
    "printf",
    "pwd",
    "readlink",
    "realpath",
    "rm",
    "rmdir",
    "sed",
    "sleep",
    "sort",
    "tail",
    "tee",
    "test",
    "touch",
    "tr",
    "true",
    "uname",
    "wc",
]
KEPT = ("PIP_", "SSL_", "LANG", "TMPDIR", "CI")
"""Settings of the machine itself: where packages come from, which certificates it trusts."""


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("fresh") / "a clone, é"
    subprocess.run(["git", "clone", "--quiet", str(places().root), str(folder)], check=True)
    return folder


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A fresh HOME, and a PATH of nothing but make, sh, git, Python and coreutils."""
    home, tools = tmp_path_factory.mktemp("home"), tmp_path_factory.mktemp("tools")
    for name in ("make", "sh", "git", *COREUTILS):
        found = shutil.which(name)
        if found:
            (tools / name).symlink_to(found)
    (tools / "python3").symlink_to(Path(sys._base_executable))  # type: ignore[attr-defined]
    kept = {name: value for name, value in os.environ.items() if name.startswith(KEPT)}
    return {**kept, "HOME": str(home), "PATH": str(tools)}


def make(clone: Path, environment: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["make", *words], cwd=clone, env=environment, capture_output=True, text=True, check=False, timeout=1200
    )


class TestFreshMachine:
    """Nothing installed by hand helps: a clone, a fresh home and the named tools are enough."""

    def test_drill_sets_up_and_passes(self, clone: Path, environment: dict[str, str]) -> None:
        # Two phases: that all of them pass together is shown in tests/run, from the environment that this one checks.
        done = make(clone, environment, "drill", "ARGS=--phase 00 --phase 10")
        assert done.returncode == 0, done.stdout + done.stderr
        assert "set-up: Python" in done.stderr
        assert "config.secret.refused" in done.stdout
        assert "✔ PASS" in done.stdout

    def test_nothing_is_set_up_twice(self, clone: Path, environment: dict[str, str]) -> None:
        done = make(clone, environment, "setup")
        assert (done.returncode, done.stderr) == (0, "")

    def test_the_clone_is_as_it_was(self, clone: Path) -> None:
        done = subprocess.run(["git", "status", "--porcelain"], cwd=clone, capture_output=True, text=True, check=True)
        assert done.stdout == ""

    def test_the_evidence_verifies(self, clone: Path, environment: dict[str, str]) -> None:
        done = subprocess.run(
            [clone / ".venv/bin/playbook", "verify", "latest"],
            cwd=clone, env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
