from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
LOCK = (ROOT / "env" / "requirements.lock").read_text()


def locked() -> dict[str, set[str]]:
    versions: dict[str, set[str]] = {}
    for name, number in re.findall(r"^([a-z0-9][a-z0-9._-]*)==([^ ;\\]+)", LOCK, flags=re.MULTILINE):
        versions.setdefault(name, set()).add(number)
    return versions


class TestLock:
    """The lock holds what pyproject asks for, by hash, and names no place to fetch it from."""

    def test_every_requirement_is_locked_within_its_range(self) -> None:
        wanted = [*PROJECT["dependencies"], *(r for extra in PROJECT["optional-dependencies"].values() for r in extra)]
        for text in wanted:
            requirement = Requirement(text)
            numbers = locked().get(requirement.name.lower().replace("_", "-"), set())
            assert numbers, f"{text} is not in env/requirements.lock: make lock"
            assert all(requirement.specifier.contains(number) for number in numbers), text

    def test_every_entry_has_a_hash(self) -> None:
        entries = re.split(r"^(?=[a-z0-9])", LOCK, flags=re.MULTILINE)
        assert [e.splitlines()[0] for e in entries if "==" in e and "--hash=sha256:" not in e] == []

    def test_names_no_index(self) -> None:
        assert not re.search(r"https?://|--index-url|--extra-index-url|--find-links", LOCK)


class TestEnvironment:
    """environment.yml says the same as pyproject.toml."""

    def test_python_range_agrees(self) -> None:
        described = yaml.safe_load((ROOT / "environment.yml").read_text())
        python = next(d for d in described["dependencies"] if isinstance(d, str) and d.startswith("python"))
        assert python.removeprefix("python") == PROJECT["requires-python"]

    def test_packages_come_from_the_lock(self) -> None:
        described = yaml.safe_load((ROOT / "environment.yml").read_text())
        pip = next(d["pip"] for d in described["dependencies"] if isinstance(d, dict))
        assert pip == ["-r env/requirements.lock"]


class TestTrackedFiles:
    """What must be tracked is, and what a run leaves never is."""

    def git(self, *argv: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(["git", *argv], cwd=ROOT, capture_output=True, text=True, check=False)

    @pytest.mark.parametrize("path", ["env/app/knowledge/x.py", "env/requirements.lock", "data/targets/x.yaml"])
    def test_is_not_ignored(self, path: str) -> None:
        assert self.git("check-ignore", "-q", "--no-index", path).returncode == 1

    @pytest.mark.parametrize("path", ["data/evidence/x/run.json", ".venv/x", "playbook/__pycache__/x.pyc"])
    def test_is_ignored(self, path: str) -> None:
        assert self.git("check-ignore", "-q", "--no-index", path).returncode == 0
