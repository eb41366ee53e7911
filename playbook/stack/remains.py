"""
Owns asking what is still there of a stack, by kind: of the process table, the disk and the engine.

Who took the stack down is not asked. Things can be left behind on purpose, so that the question is seen to find them.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

from playbook.errors import StackError
from playbook.stack.compose.labels import PROCESS, STACK, labels_of
from playbook.stack.process import kill_tree, marked, started
from playbook.stack.record import ProcessRef, RecordFile, StackRecord, read_processes

if TYPE_CHECKING:
    from playbook.stack.compose.engine import Engine, Kind

__all__ = ["MARK", "RemainKind", "Remains"]

RemainKind = Literal["processes", "directories", "containers", "networks", "volumes"]
MARK = "PLAYBOOK_STACK_ID"
"""The variable by which every process of a stack can be told."""
_OF_ENGINE: Mapping[RemainKind, Kind] = {"containers": "container", "networks": "network", "volumes": "volume"}
_SLEEP = "import time; print(flush=True); time.sleep(600)"


@dataclass(frozen=True, slots=True)
class Remains:
    """
    What there is of one stack, also when its folder is gone.
    """

    folder: Path
    record: StackRecord
    known: tuple[ProcessRef, ...] = ()

    @classmethod
    def of(cls, folder: Path) -> Remains:
        """
        Remember a stack while it is there. Raises StackError.
        """
        noted = read_processes(folder)
        known = () if noted is None else (noted.supervisor, *noted.processes.values())
        return cls(folder, RecordFile(folder).read(), known)

    def kinds(self) -> Sequence[RemainKind]:
        """
        List the kinds of things that this stack is made of. Read-only.
        """
        contained = self.record.compose is not None
        return [kind for kind in get_args(RemainKind) if contained or kind not in _OF_ENGINE]

    def of_kind(self, kind: RemainKind) -> Sequence[str]:
        """
        Name what is there of one kind. Read-only. Raises StackError when the engine does not answer.
        """
        if kind == "processes":
            there = {one.pid for one in self.known if started(one.pid) == one.start}
            return [f"pid {pid}" for pid in sorted(there | set(marked(MARK, self.record.id)))]
        if kind == "directories":
            return [str(self.folder)] if self.folder.exists() else []
        return sorted(_engine().objects([f"{STACK}={self.record.id}"])[_OF_ENGINE[kind]].values())

    @contextmanager
    def left_behind(self, kind: RemainKind) -> Iterator[None]:
        """
        Leave one thing of this kind behind for the time of the block; destroys it at the end.
        """
        if kind == "processes":
            environment = {**os.environ, MARK: self.record.id}
            argv = [sys.executable, "-S", "-c", _SLEEP]
            with subprocess.Popen(argv, env=environment, stdout=subprocess.PIPE) as process:
                try:
                    # Until a program is loaded its environment reads empty (Linux: environ_read in fs/proc/base.c).
                    assert process.stdout is not None
                    process.stdout.readline()
                    yield
                finally:
                    kill_tree(process.pid)
        elif kind == "directories":
            self.folder.mkdir(mode=0o700)
            try:
                yield
            finally:
                self.folder.rmdir()
        else:
            engine = _engine()
            made = _make(engine, self.record, self.folder, kind)
            try:
                yield
            finally:
                engine.remove(_OF_ENGINE[kind], made)


def _engine() -> Engine:
    from playbook.stack.compose.engine import Engine  # noqa: PLC0415 (stacks of processes need no engine)

    return Engine.open()


def _make(engine: Engine, record: StackRecord, folder: Path, kind: RemainKind) -> str:
    from docker.errors import DockerException  # noqa: PLC0415

    labels = labels_of(record, folder)
    name = f"left-{record.id}"
    try:
        if kind == "networks":
            return str(engine.api.create_network(name, internal=True, labels=labels)["Id"])
        if kind == "volumes":
            return str(engine.api.create_volume(name, labels=labels)["Name"])
        assert record.compose is not None
        image = record.compose.images["redis"]
        made = engine.api.create_container(image, ["true"], name=name, labels={**labels, PROCESS: "left"})
        return str(made["Id"])
    except DockerException as error:
        raise StackError(f"Nothing can be left behind: {error}", hint="Is the engine healthy?") from error
