"""
Owns the list of this user's local stacks.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

from playbook.errors import StackError
from playbook.stack.process import started
from playbook.stack.record import RecordFile, read_processes
from playbook.stack.registry import folders

__all__ = ["StackSummary", "list_stacks"]


@dataclass(frozen=True, slots=True)
class StackSummary:
    """
    One stack: `up`, still `starting`, or `broken` (its supervisor is gone, or its state file cannot be read).
    """

    name: str
    status: Literal["up", "starting", "broken"]
    created: datetime | None
    ports: dict[str, int]
    processes: tuple[str, ...]
    runner: int | None
    run_folder: Path | None
    backend: Literal["local", "compose"] = "local"


def list_stacks(root: Path | None = None) -> tuple[StackSummary, ...]:
    """
    List this user's stacks, oldest name first, broken ones too. Read-only.
    """
    return tuple(_summary(folder) for folder in folders(root))


def _summary(folder: Path) -> StackSummary:
    known = read_processes(folder)
    alive = known is not None and started(known.supervisor.pid) == known.supervisor.start
    running = () if known is None else tuple(n for n, r in known.processes.items() if started(r.pid) == r.start)
    try:
        record = RecordFile(folder).read()
    except StackError:
        return StackSummary(folder.name, "broken", None, {}, running, None, None)
    ports = {f"{state}/{name}": port for state, one in record.states.items() for name, port in one.ports.items()}
    owned = record.runner.pid if record.owner_pipe and started(record.runner.pid) == record.runner.start else None
    status: Literal["up", "starting", "broken"] = "broken" if not alive else "up" if record.ready else "starting"
    backend: Literal["local", "compose"] = "local" if record.compose is None else "compose"
    return StackSummary(folder.name, status, record.created, ports, running, owned, record.run_folder, backend)
