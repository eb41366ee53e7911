from __future__ import annotations

import stat
import threading
from pathlib import Path

import pytest

from playbook.errors import StackError
from playbook.stack.record import RecordFile, read_processes
from tests.stack.conftest import plain_record

pytestmark = pytest.mark.unit


@pytest.fixture
def file(tmp_path: Path) -> RecordFile:
    found = RecordFile(tmp_path)
    found.write(plain_record(tmp_path, "1"))
    return found


class TestRecordFile:
    """The state file is whole at any moment, private, and loses no change."""

    def test_private(self, file: RecordFile) -> None:
        assert stat.S_IMODE(file.path.stat().st_mode) == 0o600

    def test_read_back(self, file: RecordFile) -> None:
        assert file.read() == file.read()
        assert file.read().service.switches == {"a": "b"}

    def test_no_change_is_lost_between_threads(self, file: RecordFile) -> None:
        def add(name: str) -> None:
            for number in range(10):
                file.update_state(
                    "found",
                    lambda old, n=number: old.model_copy(update={"seals": {**old.seals, f"{name}{n}": "t"}}),  # type: ignore[misc]
                )

        threads = [threading.Thread(target=add, args=(name,)) for name in "abcd"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(file.read().states["found"].seals) == 40
        assert {path.name for path in file.folder.iterdir()} == {"state.json", "state.lock"}

    @pytest.mark.parametrize("text", ["", "{", '{"name": "x"}'])
    def test_broken(self, file: RecordFile, text: str) -> None:
        file.path.write_text(text)
        with pytest.raises(StackError, match="cannot be read"):
            file.read()

    def test_processes_may_be_missing(self, file: RecordFile) -> None:
        assert read_processes(file.folder) is None
