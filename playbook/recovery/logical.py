"""
Owns the logical way: pg_dump at an exported snapshot with the globals, and pg_restore into a new server.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from playbook.recovery.journal import Journal, libpq_environment, size_of
from playbook.recovery.procedure import LogicalPlan
from playbook.stack.guard import SCHEMA as SEAL_SCHEMA
from playbook.stack.protocol import Server

__all__ = ["LogicalBackup", "damage", "dump", "restore_dump"]

_ROUTE: Final = "logical"
_PIPE = 'pg_dump "$@" | gzip > "$TO"'
_UNPIPE = 'gunzip -c "$FROM" | psql -X -q'


@dataclass(frozen=True, slots=True)
class LogicalBackup:
    """
    What a dump left: its file (custom form, or SQL in gzip) and the globals beside it.
    """

    dump: Path
    globals: Path | None

    @property
    def files(self) -> tuple[Path, ...]:
        """All of it."""
        return (self.dump,) if self.globals is None else (self.dump, self.globals)


def dump(
    journal: Journal, server: Server, database: str, plan: LogicalPlan, folder: Path, *, snapshot: str | None
) -> LogicalBackup:
    """
    Dump a database as the backup role, and the server's globals as superuser.

    `snapshot` is one that another session exported. Raises CommandFailed when the procedure says that it failed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    journal.yard.hand_over(folder)
    env = libpq_environment(server.database(plan.dump_database or database).dsn("backup"))
    if plan.dump_session:
        env["PGOPTIONS"] = plan.dump_session
    at = () if snapshot is None or plan.piped else (f"--snapshot={snapshot}",)
    options = ("--no-password", f"--exclude-schema={SEAL_SCHEMA}", *at, *plan.dump_options)
    if plan.piped:
        target = folder / "dump.sql.gz"
        pipe = ("sh", "-c", _PIPE, "backup", "--create", *options)
        journal.run(_ROUTE, "backup: dump", pipe, env={**env, "TO": str(target)})
        return LogicalBackup(target, None)
    target = folder / "dump.custom"
    journal.run(_ROUTE, "backup: dump", ("pg_dump", "--format=custom", f"--file={target}", *options), env=env)
    if plan.globals_options is None:
        return LogicalBackup(target, None)
    roles = folder / "globals.sql"
    argv = ("pg_dumpall", "--globals-only", "--no-password", f"--file={roles}", *plan.globals_options)
    journal.run(_ROUTE, "backup: globals", argv, env=libpq_environment(server.dsn("postgres")))
    return LogicalBackup(target, roles)


def damage(backup: LogicalBackup, plan: LogicalPlan, folder: Path, *, words: str) -> LogicalBackup:
    """
    Return a copy of a backup, damaged as the plan says: its end cut off, one letter of `words` changed, a role unknown.
    """
    if plan.damage is None and plan.globals_before is None:
        return backup
    folder.mkdir(parents=True, exist_ok=True)
    if plan.globals_before is not None and backup.globals is not None:
        lines = backup.globals.read_text(encoding="utf-8").splitlines(keepends=True)
        roles = folder / backup.globals.name
        roles.write_text("".join(line for line in lines if plan.globals_before not in line), encoding="utf-8")
        return LogicalBackup(backup.dump, roles)
    content = backup.dump.read_bytes()
    if plan.damage == "truncated":
        content = content[: len(content) * 19 // 20]
    else:
        old = words.encode()
        content = content.replace(old, b"K" + old[1:])
    target = folder / backup.dump.name
    target.write_bytes(content)
    return LogicalBackup(target, backup.globals)


def restore_dump(
    journal: Journal, server: Server, database: str, plan: LogicalPlan, backup: LogicalBackup, *, folder: Path
) -> None:
    """
    Fetch a backup, make a new server and restore into it. Raises CommandFailed when the procedure says that it failed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with journal.stage("fetch", _ROUTE):
        here = LogicalBackup(
            Path(shutil.copy2(backup.dump, folder / backup.dump.name)),
            None if backup.globals is None else Path(shutil.copy2(backup.globals, folder / backup.globals.name)),
        )
    journal.weigh(sum(size_of(path) for path in here.files))
    with journal.stage("restore", _ROUTE):
        journal.yard.initialise(server)
        server.start()
        _restore(journal, server, database, plan, here)
    journal.weigh(sum(size_of(path) for path in here.files))


def _restore(journal: Journal, server: Server, database: str, plan: LogicalPlan, backup: LogicalBackup) -> None:
    env = libpq_environment(server.dsn("postgres"))
    into = libpq_environment(server.dsn(database))
    if backup.globals is not None:
        _without_own_superuser(backup.globals, env["PGUSER"])
        psql = ("psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-f", str(backup.globals))
        journal.run(_ROUTE, "restore: globals", psql, env=env, swallow=plan.swallow)
    if plan.piped:
        env_from = {**env, "FROM": str(backup.dump)}
        journal.run(_ROUTE, "restore: data", ("sh", "-c", _UNPIPE), env=env_from, swallow=plan.swallow)
        return
    stop = () if plan.swallow else ("--exit-on-error",)
    listed = _list(journal, backup.dump, plan.leaves_out) if plan.leaves_out else ()
    options = ("--no-password", *stop, *plan.restore_options, *listed)
    argv: tuple[str, ...]
    if plan.create:
        argv = ("pg_restore", *options, "--create", "--dbname=postgres", str(backup.dump))
        journal.run(_ROUTE, "restore: data", argv, env=env, swallow=plan.swallow)
    else:
        journal.run(_ROUTE, "restore: database", ("createdb", "--no-password", database), env=env)
        argv = ("pg_restore", *options, f"--dbname={database}", str(backup.dump))
        journal.run(_ROUTE, "restore: data", argv, env=into, swallow=plan.swallow)
    if plan.again:
        argv = ("pg_restore", "--no-password", "--data-only", f"--dbname={database}", str(backup.dump))
        journal.run(_ROUTE, "restore: data again", argv, env=into, swallow=True)


def _list(journal: Journal, dump: Path, kinds: Sequence[str]) -> tuple[str, ...]:
    """
    List what is to be restored, all but entries of these kinds; return the option that names the list.
    """
    said = journal.run(_ROUTE, "restore: list", ("pg_restore", "--list", "--create", str(dump)), env={}).stdout
    lines = said.splitlines(keepends=True)
    path = dump.with_suffix(".list")
    path.write_text("".join(line for line in lines if not any(f" {kind} " in line for kind in kinds)), encoding="utf-8")
    return (f"--use-list={path}",)


def _without_own_superuser(path: Path, superuser: str) -> None:
    """
    Leave out the one role that every new server has: making it again would be an error, and is no difference.
    """
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text("".join(line for line in lines if line.strip() != f"CREATE ROLE {superuser};"), encoding="utf-8")
