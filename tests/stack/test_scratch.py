from __future__ import annotations

from pathlib import Path

import pytest

from playbook.errors import InputError
from playbook.stack.protocol import Edit
from playbook.stack.scratch import apply_edits

pytestmark = pytest.mark.unit


class TestApplyEdits:
    """An edit finds its text exactly once, or is refused."""

    @pytest.fixture
    def code(self, tmp_path: Path) -> Path:
        folder = tmp_path / "code"
        (folder / "pkg").mkdir(parents=True)
        (folder / "pkg" / "a.py").write_text("one\ntwo\ntwo\n")
        (tmp_path / "outside.py").write_text("one")
        return folder

    def test_applied_in_order(self, code: Path) -> None:
        apply_edits(code, [Edit("pkg/a.py", "one", "1"), Edit("pkg/a.py", "1\n", "2\n")])
        assert (code / "pkg" / "a.py").read_text() == "2\ntwo\ntwo\n"

    @pytest.mark.parametrize(
        ("edit", "said"),
        [
            (Edit("pkg/a.py", "three", "x"), "0 times"),
            (Edit("pkg/a.py", "two", "x"), "2 times"),
            (Edit("pkg/a.py", "", "x"), "0 times"),
            (Edit("pkg/a.py", "one", "one"), "changes nothing"),
            (Edit("pkg/b.py", "one", "x"), "no file"),
            (Edit("../outside.py", "one", "x"), "no file"),
        ],
    )
    def test_refused(self, code: Path, edit: Edit, said: str) -> None:
        with pytest.raises(InputError, match=said):
            apply_edits(code, [edit])
