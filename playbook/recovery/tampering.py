"""
Owns what a mutation does to the subject and to its backups: rights of a role for a while, holes in the archive.

All of it is undone at the end of the block; only the bench's own throw-away subject is touched.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from psycopg import Connection, sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.rows import TupleRow

from playbook.errors import StackError
from playbook.postgres.connect import connect
from playbook.postgres.role import Role
from playbook.proof.apply import NotApplied
from playbook.recovery.archive import wait_until_archived
from playbook.recovery.physical import PhysicalBackup, Point
from playbook.recovery.portrait import Portrait
from playbook.recovery.procedure import LogicalPlan, PhysicalPlan
from playbook.recovery.subject import Subject
from playbook.target.target import Tenancy

__all__ = ["filled", "tampered_archive", "tampered_subject"]

_NAMED: tuple[Role, ...] = ("backup", "owner")
_NOTHING = "/bin/true"


def filled(plan: LogicalPlan, portrait: Portrait, tenancy: Tenancy | None) -> LogicalPlan:
    """
    Fill the target's setting and its largest tenant, its largest table and its schemas into a plan.

    Raises NotApplied when it needs tenants and there are none.
    """
    options = tuple(
        option.format(each=schema, largest=portrait.largest_table)
        for option in plan.dump_options
        for schema in (sorted(portrait.schemas) if "{each}" in option else [""])
    )
    if not plan.dump_session:
        return replace(plan, dump_options=options)
    if tenancy is None:
        raise NotApplied("the target has no tenants")
    session = plan.dump_session.format(setting=tenancy.setting, tenant=portrait.largest_owner)
    return replace(plan, dump_options=options, dump_session=session)


@contextmanager
def tampered_subject(
    subject: Subject, tampering: tuple[str, str] | None, *, session: str
) -> Iterator[Mapping[str, str]]:
    """
    Run the first of two scripts on the subject, and the second at the end; give what the backup's role is like between.

    `session` are the settings that the backup's connection starts with.
    """
    if tampering is None:
        yield {}
        return
    names = {role: sql.Identifier(_account(subject, role)) for role in _NAMED}
    apply, heal = (sql.SQL(text).format(**names) for text in tampering)
    with connect(subject.dsn(), "superuser", autocommit=True, purpose="mutation") as connection:
        connection.execute(apply)
        try:
            yield _ask_backup_role(subject, session)
        finally:
            connection.execute(heal)


@contextmanager
def tampered_archive(
    subject: Subject, backup: PhysicalBackup, plan: PhysicalPlan, folder: Path
) -> Iterator[tuple[PhysicalBackup, Mapping[str, str]]]:
    """
    Give the backup with the archive that the plan leaves: whole, with a hole (a copy in `folder`), or with nothing new.
    """
    if plan.hole:
        shutil.copytree(backup.archive, folder)
        (folder / backup.needed[len(backup.needed) // 2]).unlink()
        yield replace(backup, archive=folder), {}
        shutil.rmtree(folder)
    elif plan.archives:
        yield backup, {}
    else:
        with _archiving_nothing(subject) as point:
            yield replace(backup, point=point), {"archive_command": _archive_command(subject)}


@contextmanager
def _archiving_nothing(subject: Subject) -> Iterator[Point]:
    """
    Let the subject's archive_command be /bin/true, and make a further point; then bring the archive up to date.
    """
    command = _archive_command(subject)
    with connect(subject.dsn(), "superuser", autocommit=True, purpose="mutation") as connection:
        _set_archive_command(subject, connection, _NOTHING)
        try:
            row = connection.execute(
                "SELECT lsn::text, pg_walfile_name(lsn) FROM pg_create_restore_point('playbook-true') AS lsn"
            ).fetchone()
            assert row is not None
            connection.execute("SELECT pg_switch_wal()")
            wait_until_archived(subject.dsn(), str(row[1]))
            yield Point("playbook-true", str(row[0]), str(row[1]))
        finally:
            _set_archive_command(subject, connection, command)
            for done in (subject.server.data_directory / "pg_wal" / "archive_status").glob("*.done"):
                kept = subject.archive / done.stem
                if not kept.exists():
                    shutil.copy2(done.parent.parent / done.stem, kept)


def _set_archive_command(subject: Subject, connection: Connection[TupleRow], command: str) -> None:
    connection.execute(sql.SQL("ALTER SYSTEM SET archive_command = {}").format(sql.Literal(command)))
    connection.execute("SELECT pg_reload_conf()")
    for _ in range(200):
        if _archive_command(subject) == command:
            return
    raise StackError("The subject does not take a setting on", hint="See its log.")


def _archive_command(subject: Subject) -> str:
    with connect(subject.dsn(), "superuser", read_only=True, purpose="fact") as connection:
        row = connection.execute("SELECT current_setting('archive_command'), pg_sleep(0.01)").fetchone()
    return str(row[0]) if row else ""


def _ask_backup_role(subject: Subject, session: str) -> Mapping[str, str]:
    assert subject.target.tenancy is not None
    root = sql.Identifier(*subject.target.tenancy.root.split(".", 1))
    dsn = subject.server.database(subject.database).dsn("backup")
    if session:
        dsn = make_conninfo(dsn, options=session)
    with connect(dsn, "backup", read_only=True, purpose="fact") as connection:
        row = connection.execute("SELECT rolbypassrls FROM pg_roles WHERE rolname = current_user").fetchone()
        seen = connection.execute(sql.SQL("SELECT count(*) FROM {}").format(root)).fetchone()
    return {"bypasses": str(row and row[0]), "tenants seen": str(seen and seen[0])}


def _account(subject: Subject, role: Role) -> str:
    return str(conninfo_to_dict(subject.server.database(subject.database).dsn(role))["user"])
