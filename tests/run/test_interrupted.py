from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from playbook.evidence.folder import list_runs
from playbook.evidence.run import read_run
from playbook.run.phases import PHASES
from playbook.stack import list_stacks
from playbook.stack.registry import folder_of
from tests.run.conftest import ROOT, environment, playbook

pytestmark = pytest.mark.notebook

IN_PHASES = [
    pytest.param(phase.id, marks=[] if phase.id in ("10", "20", "30") else [pytest.mark.soak]) for phase in PHASES
]
"""Every phase; the cheap ones in every test run, the others by `make soak`."""


@contextmanager
def runner(evidence: Path, *argv: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "playbook", "run", *argv],
        cwd=ROOT,
        env=environment(evidence),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a background job would ignore Ctrl-C
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate(timeout=60)


def wait_until(condition: object, limit_s: float = 60) -> None:
    until = time.monotonic() + limit_s
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < until, "it did not come in time"
        time.sleep(0.1)


def phase_running(evidence: Path, phase: str) -> bool:
    for folder in list_runs(evidence):
        log = folder.events
        if log.is_file() and f'"id":"{phase}"' in log.read_text() and "phase-started" in log.read_text():
            return any(
                e.event.type == "phase-started" and e.event.plan.id == phase for e in read_run(folder.path).entries
            )
    return False


def coming_up(evidence: Path) -> bool:
    """Say whether a run's stack is being made, and its writer listens in the stack's folder."""
    ours = [s for s in list_stacks() if s.run_folder and s.run_folder.is_relative_to(evidence)]
    return any(any((folder_of(s.name) / "runner").glob("pb-*/writer")) for s in ours)


def of_run(evidence: Path) -> list[str]:
    """Everything of this evidence home's runs that still lives: stacks, and processes that name it."""
    stacks = [s.name for s in list_stacks() if s.run_folder and s.run_folder.is_relative_to(evidence)]
    found = []
    for process in psutil.process_iter(["pid", "cmdline"]):
        try:
            if process.environ().get("PLAYBOOK_EVIDENCE") == str(evidence) and process.pid != os.getpid():
                found.append(f"{process.pid} {process.info['cmdline']}")
        except psutil.Error:
            continue
    return stacks + found


def sealed_as_interrupted(evidence: Path) -> None:
    done = playbook(evidence, "verify", "latest", "--json")
    assert done.exit_code == 0, done.stdout
    (folder,) = list_runs(evidence)
    record = read_run(folder.path).record
    assert (record.outcome, record.code) == ("error", "interrupted")


class TestCtrlC:
    """Ctrl-C takes the stack down and seals what there is."""

    def test_once(self, tmp_path: Path) -> None:
        with runner(tmp_path) as process:
            wait_until(lambda: phase_running(tmp_path, "10"))
            process.send_signal(signal.SIGINT)
            assert process.wait(timeout=60) == 130
        wait_until(lambda: of_run(tmp_path) == [])
        sealed_as_interrupted(tmp_path)

    def test_twice(self, tmp_path: Path) -> None:
        with runner(tmp_path) as process:
            wait_until(lambda: phase_running(tmp_path, "10"))
            process.send_signal(signal.SIGINT)
            time.sleep(0.15)
            process.send_signal(signal.SIGINT)
            assert process.wait(timeout=60) == 130
        wait_until(lambda: of_run(tmp_path) == [])
        sealed_as_interrupted(tmp_path)

    def test_while_the_stack_comes_up(self, tmp_path: Path) -> None:
        with runner(tmp_path, "--phase", "20") as process:
            wait_until(lambda: coming_up(tmp_path))
            time.sleep(1)  # the first kernel is started by then, and the servers are being made
            assert not phase_running(tmp_path, "20")
            process.send_signal(signal.SIGINT)
            assert process.wait(timeout=60) == 130
        wait_until(lambda: of_run(tmp_path) == [])
        assert not any((folder.path / "INTERRUPTED").exists() for folder in list_runs(tmp_path)), "it was left unsealed"
        sealed_as_interrupted(tmp_path)


class TestKilled:
    """kill -9 of the runner leaves nothing running; the next command seals what there is."""

    @pytest.mark.parametrize("phase", IN_PHASES)
    def test_in_each_phase(self, phase: str, tmp_path: Path) -> None:
        with runner(tmp_path, "--phase", phase) as process:
            wait_until(lambda: phase_running(tmp_path, phase))
            time.sleep(random.uniform(0.2, 3))
            process.kill()
        wait_until(lambda: of_run(tmp_path) == [])
        sealed_as_interrupted(tmp_path)

    @pytest.mark.soak
    @pytest.mark.parametrize("delay_s", [round(random.uniform(0.3, 90), 1) for _ in range(10)])
    def test_at_any_moment(self, delay_s: float, tmp_path: Path) -> None:
        with runner(tmp_path) as process:
            time.sleep(delay_s)
            process.kill()
        wait_until(lambda: of_run(tmp_path) == [])

    def test_supervisor_killed_too(self, tmp_path: Path) -> None:
        with runner(tmp_path, "--phase", "10") as process:
            wait_until(lambda: phase_running(tmp_path, "10"))
            (stack,) = [s for s in list_stacks() if s.run_folder and s.run_folder.is_relative_to(tmp_path)]
            children = [
                p for p in psutil.process_iter(["cmdline"]) if f"{stack.name}" in " ".join(p.info["cmdline"] or [])
            ]
            supervisors = [p for p in children if "playbook.stack.supervisor" in " ".join(p.info["cmdline"])]
            assert supervisors
            for one in supervisors:
                one.kill()
            process.kill()
        done = playbook(tmp_path, "down", stack.name)
        assert done.exit_code == 0, done.stdout
        wait_until(lambda: of_run(tmp_path) == [])
        sealed_as_interrupted(tmp_path)
