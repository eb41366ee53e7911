from __future__ import annotations

import os
import uuid
from pathlib import Path

import pytest

from playbook.stack.remains import MARK, RemainKind, Remains
from tests.stack.conftest import plain_record

pytestmark = pytest.mark.stack

KINDS: tuple[RemainKind, ...] = ("processes", "directories")
CHILDREN = Path(f"/proc/self/task/{os.getpid()}/children")


@pytest.fixture
def gone(tmp_path: Path) -> Remains:
    """A stack of processes that is no more, nor its folder."""
    return Remains(tmp_path / "x", plain_record(tmp_path, uuid.uuid4().hex))


class TestLeftBehind:
    """What is left behind on purpose is there as soon as it is asked for, and gone afterwards."""

    def test_kinds(self, gone: Remains) -> None:
        assert tuple(gone.kinds()) == KINDS

    @pytest.mark.parametrize("kind", KINDS)
    def test_is_seen_at_once(self, gone: Remains, kind: RemainKind) -> None:
        for _ in range(20):
            with gone.left_behind(kind):
                assert {one: len(gone.of_kind(one)) for one in KINDS} == {**dict.fromkeys(KINDS, 0), kind: 1}
            assert [gone.of_kind(one) for one in KINDS] == [[], []]

    def test_a_process_is_loaded_before_it_is_asked_for(self, gone: Remains) -> None:
        # Its number may be a low one, which the process table tells first.
        others = set(CHILDREN.read_text().split())
        for _ in range(20):
            with gone.left_behind("processes"):
                (child,) = set(CHILDREN.read_text().split()) - others
                assert f"{MARK}={gone.record.id}".encode() in Path(f"/proc/{child}/environ").read_bytes()
