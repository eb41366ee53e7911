from __future__ import annotations

from pathlib import Path

import pytest

from playbook.recovery.archive import missing_segments, segments

pytestmark = pytest.mark.unit

SEGMENT = 16 * 1024 * 1024


@pytest.fixture
def base(tmp_path: Path) -> Path:
    label = "START WAL LOCATION: 0/FE000028 (file 0000000200000000000000FE)\nCHECKPOINT LOCATION: 0/FE000080\n"
    (tmp_path / "backup_label").write_text(label)
    return tmp_path


class TestSegments:
    """The needed segments are counted, not listed from what is there."""

    def test_they_run_over_the_end_of_a_log(self, base: Path) -> None:
        assert segments(base, "000000020000000100000001") == [
            "0000000200000000000000FE",
            "0000000200000000000000FF",
            "000000020000000100000000",
            "000000020000000100000001",
        ]

    def test_one_may_be_enough(self, base: Path) -> None:
        assert segments(base, "0000000200000000000000FE") == ["0000000200000000000000FE"]


class TestMissingSegments:
    """A segment that is absent or short is missing."""

    def test_absent_and_short_ones_are_told(self, tmp_path: Path) -> None:
        with (tmp_path / "A").open("wb") as whole:
            whole.truncate(SEGMENT)
        (tmp_path / "B").write_bytes(b"short")
        assert missing_segments(tmp_path, ["A", "B", "C"]) == ["B", "C"]
