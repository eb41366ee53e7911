from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from playbook.stack.compose.engine import Engine
from tests.compose.conftest import Begin
from tests.compose.test_takedown import ROOT, left_of

pytestmark = [pytest.mark.compose, pytest.mark.stack]


class TestEngineRestarted:
    """A stack outlives a restart of the engine, is mended by `up`, and goes without a trace."""

    @pytest.mark.soak
    def test_it_comes_back_and_goes(self, engine: Engine, begin: Begin) -> None:
        pid = Path("/run/docker.pid")
        if os.environ.get("PLAYBOOK_MAY_RESTART_ENGINE") != "1" or os.getuid() != 0 or not pid.is_file():
            pytest.skip("PLAYBOOK_MAY_RESTART_ENGINE=1, as root, lets this test restart the engine")
        stack = begin()
        stack.up()
        number = int(pid.read_text())
        os.kill(number, signal.SIGTERM)
        end = time.monotonic() + 60
        while Path(f"/proc/{number}").exists():
            assert time.monotonic() < end
            time.sleep(0.2)
        subprocess.run(["sh", str(ROOT / "env" / "engine" / "start")], check=True, capture_output=True)
        stack.up()
        assert stack.database("hardened").sealed
        assert stack.down().names == ()
        assert left_of(engine, stack.name) == []
