from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from playbook.errors import StackError
from playbook.stack.listing import list_stacks
from playbook.stack.local import LocalStack
from playbook.stack.mend import destroy
from playbook.stack.process import marked, started
from playbook.stack.record import RecordFile, read_processes
from playbook.stack.registry import folder_of
from playbook.stack.source import ServiceSource

pytestmark = pytest.mark.stack
RUNNER = Path(__file__).parent / "runner.py"


@dataclass
class Runner:
    process: subprocess.Popen[str]
    folder: Path
    run_folder: Path
    identity: str

    @classmethod
    def start(cls, root: Path, moment: str, name: str = "victim") -> Runner:
        run_folder = root / "run"
        run_folder.mkdir(exist_ok=True)
        process = subprocess.Popen(
            [sys.executable, str(RUNNER), name, str(root), str(run_folder), moment],
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
            env={**os.environ, "PYTHONPATH": str(RUNNER.parents[2])},
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a background job would ignore Ctrl-C
        )
        assert process.stdout is not None
        for line in process.stdout:
            if line.strip() in {moment, "up"} and moment in {line.strip(), "release", "return"}:
                break
        folder = folder_of(name, root)
        record = RecordFile(folder).read() if (folder / "state.json").exists() else None
        return cls(process, folder, run_folder, record.id if record else "gone")

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def wait_until_nothing_is_left(self, limit_s: float = 20.0) -> None:
        end = time.monotonic() + limit_s
        while (marked("PLAYBOOK_STACK_ID", self.identity) or self.folder.exists()) and time.monotonic() < end:
            time.sleep(0.02)
        assert marked("PLAYBOOK_STACK_ID", self.identity) == ()
        assert not self.folder.exists()


def litter() -> set[str]:
    return {path.name for path in Path("/dev/shm").glob("*faketime*")}


@pytest.fixture
def root() -> Iterator[Path]:
    """A temp root with a space and letters beyond ASCII, open to the account of PostgreSQL (pytest's own is not)."""
    path = Path(tempfile.mkdtemp(prefix="wurzel für proben "))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path, ignore_errors=True)


class TestRunnerKilled:
    """Whenever the runner is killed, nothing of the stack is left, and the run folder says that it was interrupted."""

    @pytest.mark.parametrize("moment", ["created", "initdb", "migrate", "seed", "copy", "apps", "up", "scratch"])
    def test_kill_9_leaves_the_mark_and_nothing_else(self, root: Path, moment: str) -> None:
        before = litter()
        runner = Runner.start(root, moment)
        runner.kill()
        runner.wait_until_nothing_is_left()
        mark = json.loads((runner.run_folder / "INTERRUPTED").read_text())
        assert set(mark) == {"time", "reason", "stack"}
        assert "without a farewell" in mark["reason"]
        assert [path.name for path in runner.run_folder.iterdir()] == ["INTERRUPTED"]
        assert litter() == before

    def test_ctrl_c_leaves_nothing(self, root: Path) -> None:
        runner = Runner.start(root, "seed")
        os.killpg(runner.process.pid, signal.SIGINT)
        assert runner.process.wait(timeout=20) != 0
        runner.wait_until_nothing_is_left()

    def test_end_without_down_counts_as_interrupted(self, root: Path) -> None:
        runner = Runner.start(root, "return")
        assert runner.process.wait(timeout=20) == 0
        runner.wait_until_nothing_is_left()
        assert (runner.run_folder / "INTERRUPTED").exists()


class TestBothKilled:
    """When the supervisor was killed too, its children die with it, and `down` mends the rest."""

    def test_down_mends_and_marks_the_run(self, root: Path) -> None:
        runner = Runner.start(root, "up")
        processes = read_processes(runner.folder)
        assert processes is not None
        os.kill(processes.supervisor.pid, signal.SIGKILL)
        runner.kill()
        end = time.monotonic() + 5
        while marked("PLAYBOOK_STACK_ID", runner.identity) and time.monotonic() < end:
            time.sleep(0.02)
        assert [(one.name, one.status) for one in list_stacks(root)] == [("victim", "broken")]
        assert destroy(runner.folder).names == ()
        runner.wait_until_nothing_is_left()
        assert list_stacks(root) == ()
        assert (runner.run_folder / "INTERRUPTED").exists()

    def test_down_works_while_the_supervisor_hangs(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        runner = Runner.start(root, "up")
        processes = read_processes(runner.folder)
        assert processes is not None
        os.kill(processes.supervisor.pid, signal.SIGSTOP)
        runner.kill()
        monkeypatch.setattr("playbook.stack.control.DOWN_LIMIT_S", 1.0)
        assert destroy(runner.folder).names == ()
        runner.wait_until_nothing_is_left()

    def test_a_stranger_with_an_old_pid_is_left_alone(self, root: Path) -> None:
        runner = Runner.start(root, "up")
        processes = read_processes(runner.folder)
        assert processes is not None
        stranger = subprocess.Popen(["sleep", "60"])
        try:
            os.kill(processes.supervisor.pid, signal.SIGKILL)
            runner.kill()
            end = time.monotonic() + 5
            while marked("PLAYBOOK_STACK_ID", runner.identity) and time.monotonic() < end:
                time.sleep(0.02)
            stale = {"supervisor": {"pid": stranger.pid, "start": "another"}, "processes": {}}
            (runner.folder / "processes.json").write_text(json.dumps(stale))
            pidfile = runner.folder / "postgres" / "found" / "postmaster.pid"
            pidfile.write_text(f"{stranger.pid}\nx\n1000000000\n")
            assert destroy(runner.folder).names == ()
            assert stranger.poll() is None
        finally:
            stranger.kill()
            stranger.wait()


class TestSealedRun:
    """A run that is sealed already is not touched, whatever happens to the stack afterwards."""

    def test_no_mark_beside_a_manifest(self, root: Path) -> None:
        runner = Runner.start(root, "created")
        (runner.run_folder / "manifest.json").write_text("{}")
        runner.kill()
        runner.wait_until_nothing_is_left()
        assert not (runner.run_folder / "INTERRUPTED").exists()


class TestDeepRoot:
    """A socket's path may have 107 bytes, a temp root more."""

    def test_control_reaches_a_supervisor_in_a_long_path(self, root: Path) -> None:
        deep = root / ("ä" * 60) / "tiefer"
        deep.mkdir(parents=True)
        runner = Runner.start(deep, "up")
        stack = LocalStack.attach("victim", root=deep)
        assert stack.database("found").sealed
        assert stack.down().names == ()
        runner.kill()
        mark = json.loads((runner.run_folder / "INTERRUPTED").read_text())
        assert mark["reason"] == f"process {os.getpid()} brought the stack down"


class TestReleased:
    """A stack that its runner released lives on, and any process of the user takes it down."""

    def test_it_is_attached_to_and_taken_down(self, root: Path) -> None:
        runner = Runner.start(root, "release")
        assert runner.process.wait(timeout=20) == 0
        time.sleep(0.8)
        stack = LocalStack.attach("victim", root=root)
        assert stack.database("hardened").sealed
        left = stack.down()
        assert left.names == ()
        assert left.removed_processes == 11
        runner.wait_until_nothing_is_left()
        assert not (runner.run_folder / "INTERRUPTED").exists()

    def test_one_whose_supervisor_is_dead_cannot_be_released(self, root: Path, stand_in: ServiceSource) -> None:
        stack = LocalStack.create("orphan", service=stand_in, seed=1, root=root)
        try:
            processes = read_processes(folder_of("orphan", root))
            assert processes is not None
            os.kill(processes.supervisor.pid, signal.SIGKILL)
            end = time.monotonic() + 5
            while started(processes.supervisor.pid) == processes.supervisor.start and time.monotonic() < end:
                time.sleep(0.02)
            with pytest.raises(StackError, match="supervisor of orphan is gone"):
                stack.release()
        finally:
            stack.down()

    def test_told_to_stop_it_goes(self, root: Path) -> None:
        runner = Runner.start(root, "release")
        runner.process.wait(timeout=20)
        processes = read_processes(runner.folder)
        assert processes is not None
        os.kill(processes.supervisor.pid, signal.SIGTERM)
        runner.wait_until_nothing_is_left()
        end = time.monotonic() + 2
        while started(processes.supervisor.pid) == processes.supervisor.start and time.monotonic() < end:
            time.sleep(0.02)
        assert started(processes.supervisor.pid) != processes.supervisor.start
