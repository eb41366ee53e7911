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
from playbook.stack.ports import KeptPort
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

    def port(self, state: str, service: str) -> KeptPort:
        """
        Where a state's service listens, as the record remembers it.
        """
        return _RecordedPort(self.file, state, service)

    def workplace(self, process: str) -> Path:
        """
        Make a service's own folder, private to the account that it runs as.
        """
        record = self.record()
        folder = self.folder / "services" / process.replace("/", "-")
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if record.server_uid is not None and record.server_gid is not None:
            os.chown(folder, record.server_uid, record.server_gid)
        return folder

    def write_private(self, path: Path, text: str) -> None:
        """
        Write a file that only the account of the services can read.
        """
        record = self.record()
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            file.write(text)
        if record.server_uid is not None and record.server_gid is not None:
            os.chown(path, record.server_uid, record.server_gid)

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

    def dsn(self, state: str, database: str, role: Role, *, app_role: Role = "app", port: int = 0) -> str:
        """
        Spell a connection string; `app_role` is who the service really is, `port` another than the server's own.
        """
        record = self.record()
        actual: Role = app_role if role == "app" else role
        account: str = getattr(record.accounts, actual)
        password = record.secrets[f"{actual}_password"]
        return f"postgresql://{account}:{password}@127.0.0.1:{port or self.server_port(state)}/{database}"

    def server_port(self, state: str) -> int:
        """
        Say on which loopback port a state's server is reached.
        """
        return self.record().states[state].port

    @staticmethod
    def environment(settings: Mapping[str, str]) -> dict[str, str]:
        """
        Give a program of the service a bare environment: nothing of the caller's but PATH and the temp root.
        """
        passed = {name: os.environ[name] for name in ("PATH", "TMPDIR", "HOME") if name in os.environ}
        return {**passed, "LC_ALL": "C.UTF-8", "PYTHONUTF8": "1", "PYTHONUNBUFFERED": "1", **settings}


@dataclass(frozen=True, slots=True)
class _RecordedPort:
    file: RecordFile
    state: str
    service: str

    def number(self) -> int:
        known = self.file.read().states.get(self.state)
        return 0 if known is None else known.ports.get(self.service, 0)

    def keep(self, number: int) -> None:
        self.file.keep_port(self.state, self.service, number)
