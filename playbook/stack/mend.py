"""
Owns the way down: everything of a stack destroyed, from any process, whoever of its parents was killed.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from playbook.errors import StackError
from playbook.stack.children import remove_litter
from playbook.stack.control import Control
from playbook.stack.interruption import mark_interrupted
from playbook.stack.ports import is_free
from playbook.stack.process import created_s, kill_tree, marked, started
from playbook.stack.protocol import Leftovers
from playbook.stack.record import ProcessRef, RecordFile, StackRecord, read_processes
from playbook.stack.registry import folders, home
from playbook.stack.servers import data_directories
from playbook.stack.shared_memory import remove_segment

if TYPE_CHECKING:
    from playbook.stack.compose.takedown import TakenDown

__all__ = ["destroy", "destroy_forgotten"]

_CLOCK_SLACK_S = 3.0
_GONE_LIMIT_S = 5.0


def destroy(folder: Path) -> Leftovers:
    """
    Destroy a stack: its processes, then its folder; say what was there and what is left.

    The supervisor is asked first. Where it does not answer, processes are found by the pids on disk, by
    `postmaster.pid` and by the mark in their environment; none is touched whose start differs from the noted one.
    """
    if not folder.is_dir():
        return Leftovers()
    record = _record(folder)
    known = _known(folder)
    contained = record is not None and record.compose is not None
    ports = () if contained else _ports(record)  # the engine's are gone with its containers
    first = _objects(record) if contained else None
    before = len([ref for ref in known if started(ref.pid) == ref.start])
    with contextlib.suppress(StackError):
        Control(folder).down()
        _wait_until_gone(known)
    gone = _objects(record) if contained else None  # what came into being meanwhile
    if folder.is_dir():
        _mark_interrupted(folder, record)
        _kill_supervisor(folder)
        for pid in _still_there(folder, record, known):
            kill_tree(pid)
        for ref in known:
            remove_litter(ref.litter, ref.pid)
        for data in data_directories(folder):
            remove_segment(data)
        if gone is None or not gone.left:  # else the folder is needed to try again
            shutil.rmtree(folder, ignore_errors=True)
    return Leftovers(
        removed_processes=before,
        removed_directories=0 if folder.exists() else 1,
        processes=tuple(f"pid {pid}" for pid in _still_there(folder, record, known)),
        ports=tuple(port for port in ports if not is_free(port)),
        directories=(str(folder),) if folder.exists() else (),
        objects=() if gone is None else gone.left,
        removed_objects={} if first is None else first.removed,
    )


def destroy_forgotten() -> Mapping[str, Leftovers]:
    """
    Destroy what this user's stacks still have in a Docker Engine though their folders are gone; nothing without one.
    """
    from playbook.stack.compose.engine import Engine  # noqa: PLC0415
    from playbook.stack.compose.takedown import remove_forgotten  # noqa: PLC0415

    try:
        engine = Engine.open()
    except StackError:
        return {}
    known = {record.id for folder in folders() if (record := _record(folder)) is not None}
    gone = remove_forgotten(engine, os.getuid(), home(), known)
    return {name: Leftovers(objects=one.left, removed_objects=one.removed) for name, one in gone.items()}


def _objects(record: StackRecord | None) -> TakenDown:
    """
    Remove a stack's containers, networks and volumes, or say that nobody could be asked for them.
    """
    from playbook.stack.compose.engine import Engine  # noqa: PLC0415 (stacks of processes need no engine)
    from playbook.stack.compose.takedown import TakenDown, take_down  # noqa: PLC0415

    assert record is not None
    try:
        return take_down(Engine.open(), record.id)
    except StackError as error:
        return TakenDown(left=(f"unknown: {error.message}",))


def _record(folder: Path) -> StackRecord | None:
    try:
        return RecordFile(folder).read()
    except StackError:
        return None  # half made or broken: there is still a folder to clear


def _ports(record: StackRecord | None) -> tuple[int, ...]:
    states = record.states.values() if record else ()
    return tuple(port for state in states for port in state.ports.values() if port)


def _known(folder: Path) -> tuple[ProcessRef, ...]:
    processes = read_processes(folder)
    return () if processes is None else (*processes.processes.values(), processes.supervisor)


def _wait_until_gone(known: tuple[ProcessRef, ...]) -> None:
    end = time.monotonic() + _GONE_LIMIT_S
    while any(started(ref.pid) == ref.start for ref in known[-1:]) and time.monotonic() < end:
        time.sleep(0.01)


def _kill_supervisor(folder: Path) -> None:
    processes = read_processes(folder)
    if processes is not None and started(processes.supervisor.pid) == processes.supervisor.start:
        with contextlib.suppress(ProcessLookupError):
            os.kill(processes.supervisor.pid, signal.SIGKILL)  # its children die with it where the kernel can do that


def _still_there(folder: Path, record: StackRecord | None, known: tuple[ProcessRef, ...]) -> tuple[int, ...]:
    found = {ref.pid for ref in known if started(ref.pid) == ref.start}
    found.update(_postmasters(folder))
    if record is not None:
        found.update(marked("PLAYBOOK_STACK_ID", record.id))
    return tuple(sorted(found))


def _postmasters(folder: Path) -> Iterator[int]:
    for data in data_directories(folder):
        try:
            lines = (data / "postmaster.pid").read_text(encoding="utf-8").splitlines()
            pid, began_s = int(lines[0]), int(lines[2])
        except (OSError, ValueError, IndexError):
            continue
        created = created_s(pid)
        if created is not None and abs(created - began_s) <= _CLOCK_SLACK_S:
            yield pid


def _mark_interrupted(folder: Path, record: StackRecord | None) -> None:
    if record is not None and record.owner_pipe and started(record.runner.pid) != record.runner.start:
        reason = "the runner and the supervisor ended without a farewell"
        mark_interrupted(record.run_folder, stack=folder.name, reason=reason)
