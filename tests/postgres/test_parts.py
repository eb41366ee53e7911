from __future__ import annotations

from pathlib import Path

import pytest

from playbook.errors import StackError, Unavailable
from playbook.postgres.parts import Parts, find_parts

pytestmark = pytest.mark.unit


def pretend(folder: Path, version: str, *names: str) -> str:
    for name in names:
        (folder / name).write_text(f"#!/bin/sh\necho 'postgres (PostgreSQL) {version}'\n")
        (folder / name).chmod(0o755)
    return str(folder)


class TestFindParts:
    """Server and tools come from one place, are of one version, and not too old."""

    def test_wheel(self) -> None:
        parts = find_parts("wheel")
        assert (parts.origin, parts.major) == ("wheel", 18)
        assert parts.program("pg_dump").is_file()
        assert len(parts.digest) == 64

    def test_path(self, tmp_path: Path) -> None:
        parts = find_parts("path", search_path=pretend(tmp_path, "16.2 (Debian 16.2-1)", "postgres", "initdb"))
        assert (parts.origin, parts.version, parts.major) == ("path", "16.2", 16)

    def test_a_link_on_path_leads_to_the_folder_of_all(self, tmp_path: Path) -> None:
        (tmp_path / "real").mkdir()
        (tmp_path / "links").mkdir()
        pretend(tmp_path / "real", "17.1", "postgres", "initdb")
        (tmp_path / "links" / "postgres").symlink_to(tmp_path / "real" / "postgres")
        assert find_parts("path", search_path=str(tmp_path / "links")).bin_dir == tmp_path / "real"

    def test_nothing_on_path(self, tmp_path: Path) -> None:
        with pytest.raises(StackError, match="No postgres and no pg_config on PATH"):
            find_parts("path", search_path=str(tmp_path))

    def test_incomplete(self, tmp_path: Path) -> None:
        with pytest.raises(StackError, match="No initdb"):
            find_parts("path", search_path=pretend(tmp_path, "18.0", "postgres"))

    def test_too_old(self, tmp_path: Path) -> None:
        with pytest.raises(StackError, match=r"14\.9 .* too old"):
            find_parts("path", search_path=pretend(tmp_path, "14.9", "postgres", "initdb"))

    def test_missing_program_is_unavailable(self, tmp_path: Path) -> None:
        with pytest.raises(Unavailable, match="pg_amcheck"):
            Parts(tmp_path, "path", "18.0").program("pg_amcheck")

    @pytest.mark.parametrize(("version", "major"), [("18.6", 18), ("19beta1", 19), ("17devel", 17), ("15rc2", 15)])
    def test_major(self, version: str, major: int) -> None:
        assert Parts(Path(), "path", version).major == major
