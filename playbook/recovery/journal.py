"""
Owns what a rehearsal writes down while it runs: each command with its end, each stage with its time and bytes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from psycopg.conninfo import conninfo_to_dict

from playbook.recovery.yard import Yard
from playbook.stack.protocol import Completed

__all__ = ["Command", "CommandFailed", "Journal", "Route", "Stage", "StageName", "libpq_environment", "size_of"]

Route = Literal["logical", "physical"]
StageName = Literal["backup", "detect", "fetch", "restore", "replay", "verify", "switch", "prove"]
_WORDS = 300


class CommandFailed(Exception):  # noqa: N818 (it is a finding about a procedure)
    """
    A command of the procedure did not end with 0, or a server that it started ended: the procedure says so itself.
    """


@dataclass(frozen=True, slots=True)
class Command:
    """
    One command that ran; `exit_code` None: it was stopped at its limit.
    """

    route: Route
    step: str
    argv: tuple[str, ...]
    exit_code: int | None
    duration_s: float
    errors: str


@dataclass(frozen=True, slots=True)
class Stage:
    """
    One stage, in seconds since the rehearsal began.
    """

    name: StageName
    route: Route | None
    began_s: float
    ended_s: float
    bytes: int | None = None

    @property
    def duration_s(self) -> float:
        return self.ended_s - self.began_s

    @property
    def rate(self) -> float | None:
        """Bytes a second."""
        return None if self.bytes is None or self.duration_s <= 0 else self.bytes / self.duration_s


@dataclass(slots=True)
class Journal:
    """
    The record of one rehearsal. `clock` counts seconds and never goes back.
    """

    yard: Yard
    clock: Callable[[], float] = time.monotonic
    commands: list[Command] = field(default_factory=list)
    stages: list[Stage] = field(default_factory=list)
    began: float = field(init=False)

    def __post_init__(self) -> None:
        self.began = self.clock()

    def now(self) -> float:
        """
        Seconds since the rehearsal began.
        """
        return self.clock() - self.began

    @contextmanager
    def stage(self, name: StageName, route: Route | None) -> Iterator[None]:
        """
        Time the block, also when it fails.
        """
        began = self.now()
        try:
            yield
        finally:
            self.stages.append(Stage(name, route, began, self.now()))

    def weigh(self, count: int) -> None:
        """
        Say how many bytes the last stage moved.
        """
        self.stages[-1] = replace(self.stages[-1], bytes=count)

    def run(
        self,
        route: Route,
        step: str,
        argv: Sequence[str],
        *,
        env: Mapping[str, str],
        swallow: bool = False,
    ) -> Completed:
        """
        Run one command of the procedure and write it down. No secret may stand in `argv`.

        Raises CommandFailed when it does not end with 0, unless the procedure swallows that.
        """
        done = self.yard.run(argv, env=env)
        self.commands.append(
            Command(route, step, tuple(argv), done.exit_code, done.duration_s, done.stderr.strip()[-_WORDS:])
        )
        if done.exit_code != 0 and not swallow:
            raise CommandFailed(f"{step}: {argv[0]} ended with {done.exit_code}: {_first(done.stderr)}")
        return done


def libpq_environment(dsn: str) -> dict[str, str]:
    """
    Spell a connection string as libpq's variables, so that no password stands in a command line.
    """
    parts = {name: str(value) for name, value in conninfo_to_dict(dsn).items() if value is not None}
    known = {"host": "PGHOST", "port": "PGPORT", "user": "PGUSER", "password": "PGPASSWORD", "dbname": "PGDATABASE"}
    return {variable: parts[name] for name, variable in known.items() if name in parts}


def size_of(path: Path) -> int:
    """
    Count the bytes of a file, or of all files below a folder. Read-only.
    """
    if path.is_file():
        return path.stat().st_size
    return sum(one.stat().st_size for one in path.rglob("*") if one.is_file() and not one.is_symlink())


def _first(text: str) -> str:
    lines = [line for line in text.strip().splitlines() if line.strip()]
    return lines[0] if lines else "(no message)"
