from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from playbook.evidence.checkout import fingerprint_checkout

pytestmark = pytest.mark.unit
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    root = tmp_path / "a checkout ü"
    for name in ("playbook/a.py", "notebooks/10.ipynb", "data/x.yaml", "env/requirements.lock", "README.md"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name)
    return root


def git(root: Path, *args: str) -> None:
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "init.defaultBranch=main"]
    subprocess.run(["git", "-C", root, *identity, *args], check=True, capture_output=True)


@pytest.fixture
def committed(checkout: Path) -> Path:
    git(checkout, "init")
    git(checkout, "add", "-A")
    git(checkout, "commit", "-m", "x")
    return checkout


def take(root: Path, **options: Any) -> Any:
    return fingerprint_checkout(root, lock=root / "env/requirements.lock", search_path=[], **options)


class TestFingerprint:
    """
    The same sources give the same fingerprint; a changed one another, and `dirty`.
    """

    def test_clean(self, committed: Path) -> None:
        found = take(committed)
        assert (len(found.commit), found.dirty, found.files) == (40, False, 4)

    def test_changed_source(self, committed: Path) -> None:
        before = take(committed)
        (committed / "playbook/a.py").write_text("changed")
        after = take(committed)
        assert after.dirty
        assert after.sources_sha256 != before.sources_sha256

    def test_new_file_is_dirty(self, committed: Path) -> None:
        (committed / "playbook/new.py").write_text("x")
        assert take(committed).dirty

    def test_a_tracked_file_that_is_no_source_differs_from_the_commit_too(self, committed: Path) -> None:
        before = take(committed)
        (committed / "README.md").write_text("x")
        after = take(committed)
        assert after.dirty
        assert after.sources_sha256 == before.sources_sha256

    def test_a_tracked_file_that_is_gone(self, committed: Path) -> None:
        (committed / "README.md").unlink()
        assert take(committed).dirty

    def test_a_new_file_that_is_no_source(self, committed: Path) -> None:
        (committed / "notes.txt").write_text("x")
        assert not take(committed).dirty

    def test_without_git_the_files_are_walked(self, checkout: Path, committed: Path) -> None:
        assert take(committed, environ={"PATH": "/nonexistent"}).commit is None
        assert take(committed, environ={"PATH": "/nonexistent"}).sources_sha256 == take(committed).sources_sha256

    def test_a_folder_within_another_repository_is_none_of_its_own(self, committed: Path) -> None:
        inner = committed / "data"
        assert take(inner).commit is None

    def test_environment_of_a_hook_does_not_lead_astray(self, committed: Path, tmp_path: Path) -> None:
        found = take(committed, environ={**os.environ, "GIT_DIR": str(tmp_path / "other")})
        assert found.commit == take(committed).commit

    def test_this_checkout_takes_less_than_a_third_of_a_second(self) -> None:
        begun = time.perf_counter()
        found = fingerprint_checkout(ROOT, lock=ROOT / "env/requirements.lock")
        assert time.perf_counter() - begun < 0.3
        assert found.packages["pydantic"]
