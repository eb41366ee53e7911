"""
Owns the supervisor's children: starts them, notes them down at once, stops them by ever harder signals.

Standard library only: the supervisor imports it and must start fast.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from playbook.stack.process import descendants, signal_tree, started

__all__ = ["Child", "Children", "Order", "become_subreaper", "remove_litter", "write_whole"]

_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36
_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None
_KILL_LIMIT_S = 5.0


def become_subreaper() -> None:
    """
    Make orphans below this process its children (prctl(2)); where there is no such call, do nothing.
    """
    if _LIBC is not None:
        _LIBC.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def write_whole(path: Path, text: str) -> None:
    """
    Replace a file in one step, readable by its owner only.
    """
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    draft.replace(path)


@dataclass(frozen=True, slots=True)
class Order:
    """
    What to start: `stop` is the ladder of signals, each with the seconds it is given.

    `litter`: files, spelled with {pid}, that the process may leave outside of the stack's folder when it is killed.
    """

    name: str
    argv: Sequence[str]
    env: Mapping[str, str]
    cwd: str
    log: str
    errors: str | None = None
    uid: int | None = None
    gid: int | None = None
    stop: Sequence[tuple[int, float]] = ((signal.SIGTERM, 3.0),)
    litter: Sequence[str] = ()


@dataclass(slots=True)
class Child:
    """
    One process that was started, and how it ended (negative: by that signal).
    """

    order: Order
    process: subprocess.Popen[bytes]
    start: str
    exit_code: int | None = None
    ladder: list[tuple[int, float]] = field(default_factory=list)
    deadline: float = 0.0

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def running(self) -> bool:
        return self.exit_code is None


class Children:
    """
    The table of children; every change of it is on disk before anything else happens.
    """

    def __init__(self, register: Path, marks: Mapping[str, str]) -> None:
        self.register = register
        self.marks = dict(marks)
        self.table: dict[str, Child] = {}
        self._parent = os.getpid()

    def spawn(self, order: Order) -> Child:
        """
        Start a process in a session of its own. Raises OSError, and ValueError when the name is running.
        """
        known = self.table.get(order.name)
        if known is not None and known.running:
            raise ValueError(f"{order.name} is running already, pid {known.pid}")
        with _appending(order.log) as out, _appending(order.errors or order.log) as errors:
            process = subprocess.Popen(
                list(order.argv),
                cwd=order.cwd,
                env={**order.env, **self.marks},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=errors,
                start_new_session=True,
                user=order.uid,
                group=order.gid,
                extra_groups=None if order.uid is None else [],
                umask=0o077,
                preexec_fn=_die_with(self._parent),  # noqa: PLW1509 (one thread only, and set after the uid)
            )
        child = Child(order, process, started(process.pid) or "gone")
        self.table[order.name] = child
        try:
            self.write()
        except OSError:
            self._step_to_end(child)
            raise
        return child

    def write(self) -> None:
        """
        Put the table on disk: pid and start of the supervisor and of every child that runs.
        """
        rows = {
            name: {"pid": c.pid, "start": c.start, "litter": list(c.order.litter)}
            for name, c in self.table.items()
            if c.running
        }
        own = {"pid": self._parent, "start": started(self._parent)}
        write_whole(self.register, json.dumps({"supervisor": own, "processes": rows}))

    def reap(self) -> None:
        """
        Collect whoever ended, adopted orphans too.
        """
        changed = False
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                break
            if pid == 0:
                break
            for child in self.table.values():
                if child.pid == pid and child.running:
                    child.exit_code = child.process.returncode = os.waitstatus_to_exitcode(status)
                    child.ladder.clear()
                    remove_litter(child.order.litter, pid)
                    changed = True
        if changed and self.register.parent.exists():
            self.write()

    def begin_stop(self, name: str, ladder: Sequence[tuple[int, float]] | None = None) -> None:
        """
        Send the first signal of the ladder; `press` sends the next ones. SIGKILL always ends it.
        """
        child = self.table[name]
        if child.running:
            child.ladder = [*(ladder or child.order.stop), (signal.SIGKILL, _KILL_LIMIT_S)]
            self._step(child)

    def press(self) -> float | None:
        """
        Send what is due, and say how many seconds are left to the next step; None when nothing is being stopped.
        """
        waits = []
        for child in self.table.values():
            if child.ladder and child.running:
                if time.monotonic() >= child.deadline:
                    self._step(child)
                waits.append(max(0.0, child.deadline - time.monotonic()))
        return min(waits, default=None)

    def _step(self, child: Child) -> None:
        number, limit_s = child.ladder.pop(0)
        child.deadline = time.monotonic() + limit_s
        if number == signal.SIGKILL:
            signal_tree(child.pid, number)
            child.ladder.append((signal.SIGKILL, limit_s))
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(child.pid, number)
        signal_tree(child.pid, signal.SIGCONT)

    def _step_to_end(self, child: Child) -> None:
        signal_tree(child.pid, signal.SIGKILL)
        child.exit_code = child.process.wait()

    def orphans(self) -> tuple[int, ...]:
        """
        List processes below us that are no child of the table: adopted, or children of children. Read-only.
        """
        known = {child.pid for child in self.table.values() if child.running}
        return tuple(pid for pid in descendants(self._parent) if pid not in known)


def remove_litter(names: Sequence[str], pid: int) -> None:
    """
    Remove what an ended process left outside of the stack's folder.
    """
    for name in names:
        Path(name.format(pid=pid)).unlink(missing_ok=True)


@contextlib.contextmanager
def _appending(path: str):  # type: ignore[no-untyped-def]  # noqa: ANN202 (a plain file descriptor)
    number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        yield number
    finally:
        os.close(number)


def _die_with(parent: int) -> Callable[[], None] | None:
    if _LIBC is None:
        return None

    def ask_kernel() -> None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:
            os.kill(os.getpid(), signal.SIGKILL)

    return ask_kernel
