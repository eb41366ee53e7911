"""
Owns our side of the supervisor's socket: starting it, and asking it to start, signal and stop processes.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import playbook
from playbook.errors import StackError
from playbook.stack.children import Order
from playbook.stack.socket_path import socket_address

__all__ = ["POSTGRES_LADDER", "Control", "ProcessState", "start_supervisor"]

POSTGRES_LADDER: Sequence[tuple[int, float]] = ((signal.SIGINT, 10.0), (signal.SIGQUIT, 5.0))
"""Fast, then immediate shutdown (PostgreSQL manual, 18.5); the supervisor adds SIGKILL."""

_START_LIMIT_S = 10.0
DOWN_LIMIT_S = 40.0


@dataclass(frozen=True, slots=True)
class ProcessState:
    """
    A process of the stack; `exit_code` is negative when a signal ended it.
    """

    pid: int
    start: str
    running: bool
    exit_code: int | None


class Control:
    """
    Requests to the supervisor of one stack. Each raises StackError when it does not answer or refuses.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def spawn(self, order: Order) -> None:
        """
        Start a process as the supervisor's child.
        """
        self._call("spawn", limit_s=20, **asdict(order))

    def stop(self, name: str, *, ladder: Sequence[tuple[int, float]] | None = None) -> ProcessState:
        """
        Stop a process by its ladder of signals, or by another one; returns when it is gone.
        """
        return _process(self._call("stop", limit_s=60, name=name, ladder=ladder))

    def wait(self, name: str, limit_s: float) -> ProcessState:
        """
        Wait for a process to end, at most `limit_s`.
        """
        return _process(self._ask({"op": "wait", "name": name, "limit_s": limit_s}, limit_s + 10))

    def signal(self, name: str, number: int, *, tree: bool = False) -> None:
        """
        Signal a process, with `tree` also everything below it.
        """
        self._call("signal", limit_s=10, name=name, number=number, tree=tree)

    def processes(self) -> Mapping[str, ProcessState]:
        """
        List all processes that were started. Read-only.
        """
        rows = self._call("status", limit_s=10)["processes"]
        assert isinstance(rows, dict)
        return {str(name): _process(row) for name, row in rows.items()}

    def running(self, name: str) -> bool:
        """
        Say whether a process runs. Read-only.
        """
        found = self.processes().get(name)
        return found is not None and found.running

    def log_offset(self, log: Path, since: float) -> int:
        """
        Say how long a log was at a moment (seconds of the wall clock, known to half a second). Read-only.
        """
        return int(str(self._call("offset", limit_s=10, log=str(log), since=since)["offset"]))

    def run(self, order: Order, limit_s: float) -> int | None:
        """
        Run a command to its end; None when it was stopped at the limit. Stops it when we are interrupted.
        """
        self.spawn(order)
        try:
            state = self.wait(order.name, limit_s)
        except BaseException:
            self.stop(order.name)
            raise
        if state.running:
            self.stop(order.name)
            return None
        return state.exit_code

    def down(self) -> Mapping[str, object]:
        """
        Bring everything down, the supervisor and the stack's folder too; returns what it says is left.
        """
        return self._call("down", limit_s=DOWN_LIMIT_S, by=os.getpid())

    def answers(self) -> bool:
        """
        Say whether the supervisor answers at all. Read-only.
        """
        try:
            self._call("status", limit_s=5)
        except StackError:
            return False
        return True

    def _call(self, op: str, *, limit_s: float, **fields: object) -> Mapping[str, object]:
        return self._ask({"op": op, **fields}, limit_s)

    def _ask(self, request: Mapping[str, object], limit_s: float) -> Mapping[str, object]:
        try:
            with self._peer(limit_s) as peer:
                peer.sendall(json.dumps(request).encode() + b"\n")
                with peer.makefile("rb") as lines:
                    answer = json.loads(lines.readline() or b"{}")
        except (OSError, ValueError) as error:
            raise self._silent(error) from error
        if not answer:
            raise self._silent(EOFError("it hung up"))
        if "error" in answer:
            raise StackError(
                f"The supervisor of {self.folder.name} refused to {request['op']} {request.get('name', '')}: "
                f"{answer['error']}",
                hint=f"See its processes: playbook ps. Start afresh: playbook down {self.folder.name}",
            )
        assert isinstance(answer, dict)
        return answer

    @contextmanager
    def _peer(self, limit_s: float) -> Iterator[socket.socket]:
        with (
            socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as peer,
            socket_address(self.folder, "control") as address,
        ):
            peer.settimeout(limit_s)
            peer.connect(address)
            yield peer

    def _silent(self, error: Exception) -> StackError:
        return StackError(
            f"The supervisor of stack {self.folder.name} does not answer ({error})",
            hint=f"It was killed or is being taken down. Clear up: playbook down {self.folder.name}",
        )


def start_supervisor(
    folder: Path, *, name: str, identity: str, run_folder: Path | None, owner_fd: int | None
) -> Control:
    """
    Start the supervisor of a new stack and wait until it answers. Raises StackError when it does not.
    """
    argv = [sys.executable, "-S", "-m", "playbook.stack.supervisor", str(folder), "--name", name, "--id", identity]
    if run_folder is not None:
        argv += ["--run-folder", str(run_folder)]
    if owner_fd is not None:
        argv += ["--owner-fd", str(owner_fd), "--owner-pid", str(os.getpid())]
    log = folder / "logs" / "supervisor.log"
    env = {"PYTHONPATH": str(Path(playbook.__file__).parent.parent), "PATH": os.defpath, "PYTHONUTF8": "1"}
    with log.open("ab") as out:
        done = subprocess.run(
            argv, env=env, cwd="/", stdin=subprocess.DEVNULL, stdout=out, stderr=out, check=False,
            pass_fds=() if owner_fd is None else (owner_fd,), start_new_session=True,
        )  # fmt: skip
    control = Control(folder)
    end = time.monotonic() + _START_LIMIT_S
    while not (folder / "control").exists() or not control.answers():
        if done.returncode != 0 or time.monotonic() > end:
            said = log.read_text(encoding="utf-8", errors="replace")[-2000:]
            raise StackError(f"The supervisor of {name} did not start: {said}", hint="Is the temp root writable?")
        time.sleep(0.005)
    return control


def _process(row: Mapping[str, object]) -> ProcessState:
    code = row["exit"]
    return ProcessState(
        int(str(row["pid"])), str(row["start"]), bool(row["running"]), None if code is None else int(str(code))
    )
