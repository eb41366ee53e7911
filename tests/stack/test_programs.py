from __future__ import annotations

from pathlib import Path

import pytest

from playbook.errors import Unavailable
from playbook.stack.programs import copy_program, find_clock, find_pooler, find_proxy, find_store

pytestmark = pytest.mark.unit


def program(folder: Path, name: str, says: str) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\necho '{says}'\n")
    path.chmod(0o755)
    return path


class TestFinding:
    """A program is named with its version and digest, or missing with a reason."""

    def test_of_the_wheels(self) -> None:
        for found in (find_store("wheel"), find_proxy("wheel"), find_clock()):
            assert found.origin == "wheel"
            assert found.version[0].isdigit()
            assert len(found.digest) == 64

    def test_redis_will_do_where_valkey_is_not(self, tmp_path: Path) -> None:
        path = program(tmp_path, "redis-server", "Redis server v=7.2.5 sha=00000000:0 malloc=libc")
        found = find_store("path", search_path=str(tmp_path))
        assert (found.path, found.version, found.origin) == (path, "7.2.5", "path")

    def test_missing(self, tmp_path: Path) -> None:
        with pytest.raises(Unavailable, match="No valkey-server and no redis-server on PATH"):
            find_store("path", search_path=str(tmp_path))
        with pytest.raises(Unavailable, match="No pgbouncer on PATH"):
            find_pooler(search_path=str(tmp_path))

    def test_pooler_that_loses_prepared_statements(self, tmp_path: Path) -> None:
        program(tmp_path, "pgbouncer", "PgBouncer 1.18.0")
        with pytest.raises(Unavailable, match=r"PgBouncer 1\.18\.0 is too old"):
            find_pooler(search_path=str(tmp_path))
        program(tmp_path, "pgbouncer", "PgBouncer 1.24.1")
        assert find_pooler(search_path=str(tmp_path)).version == "1.24.1"

    @pytest.mark.parametrize("says", ["", "hello"])
    def test_without_a_version(self, tmp_path: Path, says: str) -> None:
        program(tmp_path, "haproxy", says)
        with pytest.raises(Unavailable, match="does not say its version"):
            find_proxy("path", search_path=str(tmp_path))


class TestCopy:
    """A copy can be run by every account, with the libraries that lie beside it."""

    def test_program_and_libraries(self, tmp_path: Path) -> None:
        found = find_proxy("wheel")
        copied = copy_program(found, tmp_path / "proxy")
        assert copied.path.parent == tmp_path / "proxy"
        assert copied.digest == found.digest
        assert {path.stat().st_mode & 0o777 for path in (tmp_path / "proxy").rglob("*")} == {0o755}
        assert (tmp_path / "proxy" / "lib").is_dir()

    def test_one_from_path_stays(self, tmp_path: Path) -> None:
        program(tmp_path / "bin", "haproxy", "HAProxy version 3.0.1")
        found = find_proxy("path", search_path=str(tmp_path / "bin"))
        assert copy_program(found, tmp_path / "copies") == found
        assert not (tmp_path / "copies").exists()
