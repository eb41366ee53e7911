from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from playbook.places import places

pytestmark = pytest.mark.unit

ROOT = places().root
OURS = sorted((ROOT / "playbook").rglob("*.py"))


def tracked() -> list[Path]:
    done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    return [ROOT / name for name in done.stdout.split("\0") if name and (ROOT / name).is_file()]


class TestImports:
    """Lower rooms never import higher ones, and nobody imports the service."""

    def test_contracts_are_kept(self) -> None:
        lint = Path(sys.executable).parent / "lint-imports"
        done = subprocess.run([str(lint), "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout

    def test_nobody_reads_the_services_source(self) -> None:
        named = [path for path in OURS if re.search(r"^\s*(import|from) knowledge\b", path.read_text(), re.MULTILINE)]
        assert named == []


class TestModules:
    """Names say what a module owns, and a docstring opens on its own line."""

    def test_no_name_that_says_nothing(self) -> None:
        nothing = {"utils", "helpers", "common", "base", "misc"}
        assert [path for path in OURS if path.stem in nothing] == []

    @pytest.mark.parametrize("path", OURS, ids=lambda p: str(p.relative_to(ROOT)))
    def test_has_a_docstring(self, path: Path) -> None:
        text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
        assert text, "say what the module owns"

    def test_no_pasted_sql_is_executed(self) -> None:
        pasted = re.compile(r"\b(execute|executemany|copy)\(\s*f[\"']")
        assert [f"{p}" for p in OURS if pasted.search(p.read_text(encoding="utf-8"))] == []


class TestFiles:
    """No committed file names a package index, or carries a run's outputs."""

    def test_no_index_is_named(self) -> None:
        hosts = re.compile(r"pypi\.org|pythonhosted\.org|deb\.debian\.org|registry\.npmjs|files\.pythonhosted")
        named = [
            str(path.relative_to(ROOT))
            for path in tracked()
            if path != Path(__file__) and hosts.search(path.read_bytes().decode("utf-8", "replace"))
        ]
        assert named == []

    def test_no_evidence_is_tracked(self) -> None:
        assert [p for p in tracked() if "evidence" in p.parts and "data" in p.parts and p.suffix == ".jsonl"] == []
