"""
Owns the naive checks: what teams look at instead of restoring. They stand beside ours, and decide nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from playbook.postgres.connect import connect
from playbook.recovery.journal import Command, Route, size_of
from playbook.recovery.yard import Yard

__all__ = ["Naive", "ask_dump", "ask_exits", "ask_physical"]


@dataclass(frozen=True, slots=True)
class Naive:
    """
    One naive check and what it says: that all is well, or not.
    """

    name: str
    well: bool
    told: str


def ask_exits(commands: Sequence[Command], route: Route) -> list[Naive]:
    """
    Look at the exit codes of the backup's and of the restore's commands.
    """
    found = []
    for kind in ("backup", "restore"):
        codes = [one.exit_code for one in commands if one.route == route and one.step.startswith(f"{kind}:")]
        if codes:
            found.append(Naive(f"{kind} exit code", all(code == 0 for code in codes), ", ".join(map(str, codes))))
    return found


def ask_dump(yard: Yard, dump: Path) -> list[Naive]:
    """
    Look at a dump's size, and let gzip or pg_restore read it over.
    """
    size = size_of(dump)
    argv = ("gzip", "-t", str(dump)) if dump.suffix == ".gz" else ("pg_restore", "-l", str(dump))
    done = yard.run(argv, env={})
    return [
        Naive("size", size > 0, f"{size} bytes"),
        Naive(" ".join(argv[:2]), done.exit_code == 0, f"exit {done.exit_code}"),
    ]


def ask_physical(yard: Yard, base: Path, subject_dsn: str | None, *, answers: bool) -> list[Naive]:
    """
    Look at a base's size, let pg_verifybackup read it, ask the archiver for failures, and see whether a port answers.
    """
    size = size_of(base)
    done = yard.run(("pg_verifybackup", "--quiet", str(base)), env={})
    found = [
        Naive("size", size > 0, f"{size} bytes"),
        Naive("pg_verifybackup", done.exit_code == 0, f"exit {done.exit_code}"),
    ]
    if subject_dsn is not None:
        with connect(subject_dsn, "superuser", read_only=True, purpose="naive") as connection:
            row = connection.execute("SELECT failed_count FROM pg_stat_archiver").fetchone()
        failed = int(row[0]) if row else 0
        found.append(Naive("archiver's failures", failed == 0, str(failed)))
    return [*found, Naive("restored server answers", answers, "yes" if answers else "no")]
