"""
One real drill for all tests that only read it, and a way to run the command line as a user does.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
Playbook = Callable[..., "Done"]


@dataclass(frozen=True)
class Done:
    exit_code: int
    stdout: str
    stderr: str

    @property
    def json(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(self.stdout)
        return document

    def results(self, state: str) -> dict[tuple[str, str | None], str]:
        return {(c["id"], c["subject"]): c["outcome"] for c in self.json["checks"] if c["state"] == state}


def environment(evidence: Path, **more: str) -> Mapping[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("PLAYBOOK_") and k != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, "PLAYBOOK_EVIDENCE": str(evidence), **more}


def playbook(evidence: Path, *argv: str, limit_s: float = 1200, **environ: str) -> Done:
    done = subprocess.run(
        [sys.executable, "-m", "playbook", *argv],
        cwd=ROOT,
        env=environment(evidence, **environ),
        capture_output=True,
        text=True,
        timeout=limit_s,
        check=False,
    )
    return Done(done.returncode, done.stdout, done.stderr)


@pytest.fixture(scope="session")
def drill_evidence(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("evidence home é")


@pytest.fixture(scope="session")
def drill(drill_evidence: Path) -> Done:
    """The whole playbook, once."""
    return playbook(drill_evidence, "run", "--profile", "quick", "--json")


@pytest.fixture(scope="session")
def drill_run(drill: Done) -> Path:
    assert drill.exit_code == 0, drill.stderr
    return Path(drill.json["runs"][0]["path"])
