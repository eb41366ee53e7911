"""
Owns running a plan's own pair of scripts: they get libpq's variables and BACKUP_DIR, and we look at what they leave.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final

from playbook.recovery.journal import CommandFailed, Journal, libpq_environment, size_of
from playbook.recovery.procedure import ScriptPlan
from playbook.stack.protocol import Server

__all__ = ["back_up_by_script", "newest", "restore_by_script"]

_ROUTE: Final = "logical"


def back_up_by_script(journal: Journal, dsn: str, plan: ScriptPlan, folder: Path) -> Path:
    """
    Run the backup script; return its folder. Raises CommandFailed when the script says that it failed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    journal.yard.hand_over(folder)
    env = {**libpq_environment(dsn), "BACKUP_DIR": str(folder)}
    journal.run(_ROUTE, "backup: script", ("sh", _carried(plan.backup, journal)), env=env)
    return folder


def restore_by_script(
    journal: Journal, server: Server, database: str, plan: ScriptPlan, backup: Path, *, folder: Path
) -> None:
    """
    Fetch what the backup script left, make a new server and run the restore script against it.
    """
    with journal.stage("fetch", _ROUTE):
        shutil.copytree(backup, folder)
    journal.weigh(size_of(folder))
    with journal.stage("restore", _ROUTE):
        journal.yard.initialise(server)
        server.start()
        env = {**libpq_environment(server.dsn(database)), "BACKUP_DIR": str(folder)}
        journal.run(_ROUTE, "restore: script", ("sh", _carried(plan.restore, journal)), env=env)
    journal.weigh(size_of(folder))


def _carried(script: Path, journal: Journal) -> str:
    """
    Copy a script where the stack's tools see it, which need not see this machine's files.
    """
    place = journal.yard.folder / script.name
    return str(place if place.exists() else shutil.copyfile(script, place))


def newest(folder: Path) -> Path:
    """
    Find the newest file that a backup script left. Raises CommandFailed when there is none.
    """
    files = sorted((path for path in folder.rglob("*") if path.is_file()), key=lambda path: path.stat().st_mtime)
    if not files:
        raise CommandFailed("the backup script left no file")
    return files[-1]
