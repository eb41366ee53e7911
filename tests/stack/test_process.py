from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from playbook.stack.process import created_s, descendants, kill_tree, marked, signal_tree, started

pytestmark = pytest.mark.unit


class TestStarted:
    """A pid alone is no name: the moment of its start is part of it."""

    def test_same_process_same_token(self) -> None:
        assert started(os.getpid()) == started(os.getpid()) is not None

    def test_gone_and_zombie(self) -> None:
        child = subprocess.Popen([sys.executable, "-c", ""])
        end = time.monotonic() + 10
        while started(child.pid) is not None and time.monotonic() < end:
            time.sleep(0.01)
        assert started(child.pid) is None
        child.wait()
        assert started(child.pid) is None

    def test_wall_clock(self) -> None:
        child = subprocess.Popen(["sleep", "30"])
        try:
            created = created_s(child.pid)
            assert created is not None
            assert abs(created - time.time()) < 3
        finally:
            child.kill()
            child.wait()


class TestTree:
    """What is below a process goes with it."""

    def test_kill_tree(self) -> None:
        parent = subprocess.Popen(["sh", "-c", "sleep 60 & sleep 60 & wait"], env={**os.environ, "PB_MARK": "tree-1"})
        end = time.monotonic() + 5
        while len(descendants(parent.pid)) < 2 and time.monotonic() < end:
            time.sleep(0.01)
        below = descendants(parent.pid)
        assert len(below) == 2
        assert set(marked("PB_MARK", "tree-1")) == {parent.pid, *below}
        signal_tree(parent.pid, signal.SIGSTOP)
        assert kill_tree(parent.pid)
        parent.wait()
        assert marked("PB_MARK", "tree-1") == ()
