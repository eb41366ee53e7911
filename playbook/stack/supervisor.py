"""
Owns the process that is the parent of all the stack's processes: it outlives the runner only to clear up after it.

`python -m playbook.stack.supervisor FOLDER --name N --id ID [--run-folder D] [--owner-fd FD --owner-pid P]`

It answers requests, one JSON line each, on the socket `control` in the stack's folder. The runner holds the other
end of the pipe `--owner-fd`; when that closes without a farewell, everything is brought down, the run folder gets
its `INTERRUPTED` mark and the stack's folder goes. Standard library only, one thread only.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import selectors
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from playbook.stack.children import Children, Order, become_subreaper
from playbook.stack.interruption import mark_interrupted
from playbook.stack.process import kill_tree, signal_tree, started

__all__ = ["FAREWELL", "TAKE_DOWN", "Supervisor", "main"]

FAREWELL = b"farewell\n"
TAKE_DOWN = "take-down.json"
_ELSEWHERE_LIMIT_S = 30.0
_TICK_S = 0.5
_DOWN_STEP_S = 3.0
_MARKS_KEPT = 7200


class Supervisor:
    """
    One event loop over the control socket, the owner's pipe and the signals.
    """

    def __init__(self, folder: Path, children: Children, *, name: str, run_folder: Path | None) -> None:
        self.folder = folder
        self.children = children
        self.name = name
        self.run_folder = run_folder
        self.owner_fd: int | None = None
        self.owner: tuple[int, str | None] | None = None
        self.selector = selectors.DefaultSelector()
        self.waiting: list[tuple[socket.socket, str, float]] = []
        self.farewell: list[socket.socket] = []
        self.log_marks: dict[str, list[tuple[float, int]]] = {}
        self.ending = False

    def own(self, owner_fd: int, owner_pid: int) -> None:
        """
        Watch the owner: its end of the pipe, and its process (a forked copy could keep the pipe open).
        """
        self.owner_fd, self.owner = owner_fd, (owner_pid, started(owner_pid))
        self.selector.register(owner_fd, selectors.EVENT_READ, "owner")

    def serve(self) -> None:
        """
        Answer until the stack is down.
        """
        listener = _listen(self.folder)
        wake_in, wake_out = socket.socketpair()
        wake_in.setblocking(False)
        wake_out.setblocking(False)
        signal.set_wakeup_fd(wake_out.fileno())
        self.selector.register(listener, selectors.EVENT_READ, "listener")
        self.selector.register(wake_in, selectors.EVENT_READ, "signal")
        while not self.ending:
            next_step_s = self.children.press()
            for key, _ in self.selector.select(_TICK_S if next_step_s is None else min(next_step_s, _TICK_S)):
                self._dispatch(key)
            self.children.reap()
            self._answer_waiting()
            self._mark_logs()
            if self.owner is not None and not self.ending and started(self.owner[0]) != self.owner[1]:
                self._interrupted("the runner ended without a farewell")

    def _dispatch(self, key: selectors.SelectorKey) -> None:
        if key.data == "signal":
            sock = key.fileobj
            assert isinstance(sock, socket.socket)
            numbers = sock.recv(64)
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
                if number in numbers:
                    self._interrupted(f"the supervisor was told to stop ({signal.Signals(number).name})")
        elif key.data == "owner":
            assert self.owner_fd is not None
            heard = os.read(self.owner_fd, 64)
            if heard == FAREWELL:
                self.selector.unregister(self.owner_fd)
                self.owner = self.run_folder = None
            elif not heard:
                self.selector.unregister(self.owner_fd)
                self._interrupted("the runner ended without a farewell")
        elif key.data == "listener":
            sock = key.fileobj
            assert isinstance(sock, socket.socket)
            self._hear(sock.accept()[0])

    def _hear(self, peer: socket.socket) -> None:
        peer.settimeout(2.0)
        try:
            line = peer.makefile("rb").readline()
            request = json.loads(line)
        except (OSError, ValueError):
            peer.close()
            return
        try:
            self._obey(peer, request)
        except (OSError, ValueError, KeyError, TypeError) as error:
            _reply(peer, {"error": f"{type(error).__name__}: {error}"})

    def _obey(self, peer: socket.socket, request: dict[str, object]) -> None:
        op, name = request.pop("op"), str(request.get("name", ""))
        match op:
            case "spawn":
                child = self.children.spawn(_order(request))
                _reply(peer, {"pid": child.pid, "start": child.start})
            case "stop":
                ladder = request.get("ladder")
                self.children.begin_stop(name, None if ladder is None else _ladder(ladder))
                self.waiting.append((peer, name, float("inf")))
            case "wait":
                self._row(name)
                self.waiting.append((peer, name, time.monotonic() + float(str(request["limit_s"]))))
            case "signal":
                child = self.children.table[name]
                if child.running:
                    send = signal_tree if request.get("tree") else os.kill
                    send(child.pid, int(str(request["number"])))
                _reply(peer, self._row(name))
            case "status":
                rows = {each: self._row(each) for each in self.children.table}
                _reply(peer, {"pid": os.getpid(), "start": started(os.getpid()), "processes": rows})
            case "offset":
                marks = self.log_marks.get(str(request["log"]), [])
                since = float(str(request["since"]))
                _reply(peer, {"offset": max((size for at, size in marks if at <= since), default=0)})
            case "down":
                by = int(str(request["by"]))
                if self.owner is not None and by != self.owner[0]:
                    self._mark_run(f"process {by} brought the stack down")
                self.farewell.append(peer)
                self._down(quick=False)
            case _:
                raise ValueError(f"no such request: {op!r}")

    def _row(self, name: str) -> dict[str, object]:
        child = self.children.table[name]
        return {"pid": child.pid, "start": child.start, "running": child.running, "exit": child.exit_code}

    def _answer_waiting(self) -> None:
        still = []
        for peer, name, deadline in self.waiting:
            if not self.children.table[name].running or time.monotonic() >= deadline:
                _reply(peer, self._row(name))
            else:
                still.append((peer, name, deadline))
        self.waiting = still

    def _mark_logs(self) -> None:
        for child in self.children.table.values():
            marks = self.log_marks.setdefault(child.order.log, [])
            with contextlib.suppress(OSError):
                size = Path(child.order.log).stat().st_size
                if not marks or marks[-1][1] != size:
                    marks.append((time.time(), size))
                    del marks[:-_MARKS_KEPT]

    def _interrupted(self, reason: str) -> None:
        if not self.ending:
            self._mark_run(reason)
            self._down(quick=True)

    def _mark_run(self, reason: str) -> None:
        mark_interrupted(self.run_folder, stack=self.name, reason=reason)

    def _down(self, *, quick: bool) -> None:
        self.ending = True
        running = [name for name, child in self.children.table.items() if child.running]
        for name in running:
            ladder = self.children.table[name].order.stop
            hard = [(n, 2.0) for n, _ in ladder if n == signal.SIGQUIT]
            soft = [(n, min(limit_s, _DOWN_STEP_S)) for n, limit_s in ladder]  # nobody's requests, nobody's data
            self.children.begin_stop(name, (hard or [(signal.SIGKILL, 5.0)]) if quick else soft)
        end = time.monotonic() + 20.0
        while any(child.running for child in self.children.table.values()) and time.monotonic() < end:
            self.children.reap()
            self.children.press()
            time.sleep(0.005)
        for pid in self.children.orphans():
            kill_tree(pid)
        self.children.reap()
        left = [str(pid) for pid in self.children.orphans()]
        if _take_down_elsewhere(self.folder):  # else the folder is needed to try again: playbook down
            shutil.rmtree(self.folder, ignore_errors=True)
        answer = {"removed": len(running), "left": left, "folder_left": self.folder.exists()}
        for peer in self.farewell:
            _reply(peer, answer)
        for peer, name, _ in self.waiting:
            _reply(peer, self._row(name))


def _take_down_elsewhere(folder: Path) -> bool:
    """
    Run the command that takes down what is no child of ours (containers), if the stack's folder names one.
    """
    command = folder / TAKE_DOWN
    if not command.is_file():
        return True
    try:
        words = json.loads(command.read_text(encoding="utf-8"))
        return subprocess.run(words, stdin=subprocess.DEVNULL, timeout=_ELSEWHERE_LIMIT_S, check=False).returncode == 0
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        sys.stderr.write(f"taking down elsewhere: {error}\n")
        return False


def _order(request: dict[str, object]) -> Order:
    fields: dict[str, Any] = dict(request)
    fields["stop"] = _ladder(fields["stop"])
    return Order(**fields)


def _ladder(steps: Any) -> tuple[tuple[int, float], ...]:
    return tuple((int(number), float(limit_s)) for number, limit_s in steps)


def _reply(peer: socket.socket, answer: dict[str, object]) -> None:
    with contextlib.suppress(OSError):  # whoever asked may be gone
        peer.sendall(json.dumps(answer).encode() + b"\n")
    peer.close()


def _listen(folder: Path) -> socket.socket:
    os.chdir(folder)  # a socket's path may have 107 bytes: bind by its bare name
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)
    listener.bind("control")
    os.umask(before)
    listener.listen(16)
    os.chdir("/")
    return listener


def main(argv: Sequence[str]) -> int:
    """
    Leave the caller's session, then serve.
    """
    parser = argparse.ArgumentParser(prog="playbook.stack.supervisor")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--name", required=True)
    parser.add_argument("--id", required=True)
    parser.add_argument("--run-folder", type=Path)
    parser.add_argument("--owner-fd", type=int)
    parser.add_argument("--owner-pid", type=int)
    args = parser.parse_args(argv)
    if os.fork():
        os._exit(0)
    os.setsid()
    for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: None)
    become_subreaper()
    children = Children(args.folder / "processes.json", {"PLAYBOOK_STACK": args.name, "PLAYBOOK_STACK_ID": args.id})
    children.write()
    supervisor = Supervisor(args.folder, children, name=args.name, run_folder=args.run_folder)
    if args.owner_fd is not None:
        supervisor.own(args.owner_fd, args.owner_pid)
    supervisor.serve()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
