"""
Owns what all views of one local stack share: its folder, its record, its supervisor; and its logs.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from playbook.postgres.parts import Parts
from playbook.postgres.role import Role
from playbook.stack.control import Control
from playbook.stack.record import RecordFile, StackRecord

__all__ = ["Ground"]

_TAIL_LINES = 25


@dataclass(frozen=True, slots=True)
class Ground:
    """
    The ground that a stack stands on.
    """

    folder: Path
    file: RecordFile = field(init=False)
    control: Control = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "file", RecordFile(self.folder))
        object.__setattr__(self, "control", Control(self.folder))

    def record(self) -> StackRecord:
        """
        Read the record as it is now.
        """
        return self.file.read()

    def parts(self) -> Parts:
        """
        Where this stack's PostgreSQL programs are.
        """
        record = self.record()
        return Parts(record.bin_dir, record.origin, record.server_version)

    def data(self, state: str) -> Path:
        """
        The data directory of a state's server.
        """
        return self.folder / "postgres" / state

    def log(self, process: str) -> Path:
        """
        The log of a process.
        """
        return self.folder / "logs" / f"{process.replace('/', '-')}.log"

    def tail(self, process: str, *, lines: int = _TAIL_LINES) -> str:
        """
        The last lines of a process's log, for an error's text. Read-only.
        """
        try:
            text = self.log(process).read_text(encoding="utf-8", errors="replace")
        except OSError:
            return "(no log)"
        return "\n".join(text.splitlines()[-lines:]) or "(nothing in its log)"

    def dsn(self, state: str, database: str, role: Role, *, app_role: Role = "app") -> str:
        """
        Spell a connection string; `app_role` is who the service really is.
        """
        record = self.record()
        actual: Role = app_role if role == "app" else role
        account: str = getattr(record.accounts, actual)
        password = record.secrets[f"{actual}_password"]
        return f"postgresql://{account}:{password}@127.0.0.1:{record.states[state].port}/{database}"

    @staticmethod
    def environment(settings: Mapping[str, str]) -> dict[str, str]:
        """
        Give a program of the service a bare environment: nothing of the caller's but PATH and the temp root.
        """
        passed = {name: os.environ[name] for name in ("PATH", "TMPDIR", "HOME") if name in os.environ}
        return {**passed, "LC_ALL": "C.UTF-8", "PYTHONUTF8": "1", "PYTHONUNBUFFERED": "1", **settings}
