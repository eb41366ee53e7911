"""
Owns `state.json`: what any process of this user must know to use a stack or to destroy it.

Readable by its owner only (it holds the stack's secrets); replaced in one step, under a lock. Who runs is in
`processes.json`, which the supervisor alone writes.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from playbook.errors import StackError
from playbook.postgres.parts import Origin
from playbook.postgres.server import Durability
from playbook.stack.children import write_whole
from playbook.stack.programs import Program
from playbook.stack.source import Accounts, ServiceSource

__all__ = ["ComposePart", "ProcessRef", "Processes", "RecordFile", "StackRecord", "StateRecord", "read_processes"]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ProcessRef(_Frozen):
    """
    A process that cannot be mistaken for a later one with its number.
    """

    pid: int
    start: str
    litter: tuple[str, ...] = ()


class Processes(_Frozen):
    """
    The content of `processes.json`.
    """

    supervisor: ProcessRef
    processes: dict[str, ProcessRef]


class StateRecord(_Frozen):
    """
    One server and what is served from it: ports by service, the app's switches, the sealed databases on the server.

    `served_from` is set while the app serves another server's database: (that server's name here, the database).
    """

    ports: dict[str, int] = {}
    app_source: str = ""
    switches: dict[str, bool]
    seals: dict[str, str] = {}
    served_from: tuple[str, str] | None = None

    @property
    def port(self) -> int:
        """The port of its PostgreSQL; 0: it never had one."""
        return self.ports.get("postgres", 0)


class ComposePart(_Frozen):
    """
    What a stack of containers is besides: its project, the engine's and Compose's versions.

    `images` and the states' `subnets` stand by their names. `code`: the service's code, where it is
    mounted because the image does not hold it.
    """

    project: str
    engine: str
    compose: str
    base: str = ""
    images: dict[str, str] = {}
    subnets: dict[str, str] = {}
    code: Path | None = None


class StackRecord(_Frozen):
    """
    The content of `state.json`.

    `programs`: what else the stack is made of, by service; `absent`: capabilities that it lacks, and why.
    """

    format: Literal[1] = 1
    name: str
    id: str
    created: datetime
    uid: int
    server_uid: int | None
    server_gid: int | None
    runner: ProcessRef
    owner_pipe: bool
    run_folder: Path | None
    bin_dir: Path
    origin: Origin
    server_version: str
    durability: Durability
    programs: dict[str, Program] = {}
    absent: dict[str, str] = {}
    service: ServiceSource
    accounts: Accounts
    profile: str
    seed: int
    secrets: dict[str, str]
    states: dict[str, StateRecord] = {}
    ready: bool = False
    compose: ComposePart | None = None


class RecordFile:
    """
    The record of one stack on disk.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / "state.json"

    def read(self) -> StackRecord:
        """
        Read the record. Raises StackError when it is missing or broken.
        """
        try:
            return StackRecord.model_validate_json(self.path.read_bytes())
        except FileNotFoundError:
            raise StackError(
                f"No stack named {self.folder.name}", hint="See what there is: playbook ps. Start one: playbook up"
            ) from None
        except (OSError, ValidationError) as error:
            raise StackError(
                f"{self.path} cannot be read: {error}", hint=f"Destroy the stack: playbook down {self.folder.name}"
            ) from error

    def write(self, record: StackRecord) -> None:
        """
        Replace the record. Raises StackError when the disk is full or the folder is gone.
        """
        try:
            write_whole(self.path, record.model_dump_json(indent=1))
        except OSError as error:
            raise StackError(
                f"{self.path} cannot be written: {error}", hint="Free the disk, then try again."
            ) from error

    def update(self, change: Callable[[StackRecord], StackRecord]) -> StackRecord:
        """
        Read, change and replace the record while nobody else does.
        """
        try:
            with open(self.folder / "state.lock", "a", opener=_private) as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                record = change(self.read())
                self.write(record)
                return record
        except OSError as error:
            raise StackError(f"{self.folder} cannot be locked: {error}", hint="Is the stack still there?") from error

    def update_state(self, state: str, change: Callable[[StateRecord], StateRecord]) -> StackRecord:
        """
        Change one state's part.
        """
        return self.update(
            lambda record: record.model_copy(
                update={"states": {**record.states, state: change(record.states[state])}},
            )
        )

    def keep_port(self, state: str, service: str, port: int) -> None:
        """
        Note where a state's service listens; begins the state's part when it is the first.
        """

        def change(record: StackRecord) -> StackRecord:
            fresh = StateRecord(switches=dict.fromkeys(record.service.switches, False))
            old = record.states.get(state, fresh)
            kept = old.model_copy(update={"ports": {**old.ports, service: port}})
            return record.model_copy(update={"states": {**record.states, state: kept}})

        self.update(change)

    def forget_state(self, state: str) -> None:
        """
        Drop a state's part.
        """
        self.update(lambda old: old.model_copy(update={"states": {k: v for k, v in old.states.items() if k != state}}))


def read_processes(folder: Path) -> Processes | None:
    """
    Read who was started; None when nobody was, or the file is broken. Read-only.
    """
    try:
        return Processes.model_validate_json((folder / "processes.json").read_bytes())
    except (OSError, ValidationError):
        return None


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
