from __future__ import annotations

from pathlib import Path

import pytest

from playbook.recovery.logical import LogicalBackup, damage
from playbook.recovery.procedure import LogicalPlan

pytestmark = pytest.mark.unit


@pytest.fixture
def backup(tmp_path: Path) -> LogicalBackup:
    dump = tmp_path / "dump.custom"
    dump.write_bytes(b"head " + b"kept words" + b" tail" * 20)
    return LogicalBackup(dump, None)


class TestDamage:
    """A damaged dump is a copy; the dump itself stays whole."""

    def test_without_damage_it_is_the_dump_itself(self, backup: LogicalBackup, tmp_path: Path) -> None:
        assert damage(backup, LogicalPlan(), tmp_path / "x", words="kept words") == backup

    def test_truncated_is_a_shorter_beginning(self, backup: LogicalBackup, tmp_path: Path) -> None:
        cut = damage(backup, LogicalPlan(damage="truncated"), tmp_path / "x", words="kept words").dump.read_bytes()
        whole = backup.dump.read_bytes()
        assert whole.startswith(cut)
        assert len(cut) < len(whole)

    def test_flipped_differs_in_one_byte(self, backup: LogicalBackup, tmp_path: Path) -> None:
        flipped = damage(backup, LogicalPlan(damage="flipped"), tmp_path / "x", words="kept words").dump.read_bytes()
        whole = backup.dump.read_bytes()
        assert [i for i, pair in enumerate(zip(whole, flipped, strict=True)) if pair[0] != pair[1]] == [5]
