from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from playbook.stack.compose.engine import Engine
from playbook.stack.compose.ground import ComposeGround

pytestmark = pytest.mark.compose


class TestWriteSecret:
    """Files that containers read are whole at any moment, whoever else writes the same one."""

    def test_many_write_the_same_one_at_once(self, engine: Engine, tmp_path: Path) -> None:
        (tmp_path / "secrets").mkdir()
        ground = ComposeGround(tmp_path, engine)
        text = "x" * 100_000
        with ThreadPoolExecutor(8) as pool:
            written = list(pool.map(lambda _: ground.write_secret("trial/same", text).read_text(), range(200)))
        assert set(written) == {text}
        assert [path.name for path in (tmp_path / "secrets").iterdir()] == ["trial-same"]
