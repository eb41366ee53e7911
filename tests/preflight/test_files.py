from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from playbook.errors import Unavailable
from playbook.preflight.private_files import private_names
from playbook.preflight.secret_scan import find_secrets
from playbook.preflight.source import tracked_files

pytestmark = pytest.mark.unit


class TestTrackedFiles:
    """What Git tracks is listed; where it tracks nothing, that is said."""

    def test_untracked_files_are_not_among_them(self, tmp_path: Path) -> None:
        subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
        for name in ("ä b.txt", "other.txt"):
            (tmp_path / name).write_text("x")
        subprocess.run(["git", "-C", str(tmp_path), "add", "ä b.txt"], check=True)
        assert tracked_files(tmp_path) == ("ä b.txt",)

    def test_outside_a_work_tree(self, tmp_path: Path) -> None:
        with pytest.raises(Unavailable, match="no Git work tree"):
            tracked_files(tmp_path)


class TestPrivateNames:
    """Names of files that do not belong into a repository."""

    @pytest.mark.parametrize(
        "name",
        [".env", "a/.env.local", "prod.env", "b/x.dump", "x.SQL.GZ", "app.log", "app.log.1", "k/id_rsa", "s.key"],
    )
    def test_private(self, name: str) -> None:
        assert private_names([name]) == [name]

    @pytest.mark.parametrize(
        "name", ["environment.yml", ".env.example", "schema.sql", "logging.py", "id_rsa.pub", "keys.py", "dump.py"]
    )
    def test_harmless(self, name: str) -> None:
        assert private_names([name]) == []


class TestSecrets:
    """A hit tells where and of what kind, never what."""

    KEY = "AKIA" + "QWERTYUIOPASDFGH"

    def test_a_hit_names_line_and_kind_only(self, tmp_path: Path) -> None:
        (tmp_path / "settings.py").write_text(f'"""Settings."""\nKEY = "{self.KEY}"\n')
        hits = find_secrets(tmp_path, ["settings.py"])
        assert "settings.py:2 AWS Access Key" in hits
        assert self.KEY not in "".join(hits)

    def test_a_line_that_is_allowed(self, tmp_path: Path) -> None:
        (tmp_path / "settings.py").write_text(f'KEY = "{self.KEY}"  # pragma: allowlist secret\n')
        assert find_secrets(tmp_path, ["settings.py"]) == []
