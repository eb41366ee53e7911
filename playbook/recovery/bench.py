"""
Owns trying mutated procedures: one subject that stays alive, and for each mutation only the stages that it touches.

Nothing is lost here and no service is switched over; that is the drill's.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from psycopg import Connection, sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.rows import TupleRow

from playbook.errors import StackError
from playbook.postgres.connect import connect
from playbook.postgres.role import Role
from playbook.proof.apply import NotApplied
from playbook.proof.check import Check
from playbook.proof.scene import Scene
from playbook.recovery.drill import Backups, back_up, tells_failure
from playbook.recovery.journal import CommandFailed, Journal
from playbook.recovery.logical import LogicalBackup, damage, dump, restore_dump
from playbook.recovery.mutations import MUTATIONS, Evidence, Mutation
from playbook.recovery.naive import ask_dump, ask_exits, ask_physical
from playbook.recovery.physical import (
    PhysicalBackup,
    Point,
    missing_segments,
    recover,
    recover_further,
    wait_until_archived,
)
from playbook.recovery.planting import KEEPSAKE
from playbook.recovery.procedure import LogicalPlan, PhysicalPlan, Procedure, our_procedure
from playbook.recovery.rehearsal import Rehearsal, RouteReport, staged
from playbook.recovery.restoring import Aftermath, look
from playbook.recovery.subject import Subject, prepare_subject
from playbook.recovery.traffic import Marker
from playbook.recovery.yard import Yard
from playbook.stack.protocol import Server

__all__ = ["Bench", "open_bench"]

_NAMED: tuple[Role, ...] = ("backup", "owner")


@contextmanager
def open_bench(scene: Scene, yard: Yard, *, isolation: Sequence[Check] = ()) -> Iterator[Bench]:
    """
    Prepare a subject with our backups of it. Raises GuardError when the state is not sealed.

    `isolation` are checks that need no service.
    """
    procedure = our_procedure()
    with prepare_subject(scene.database, yard, scene.target, procedure, small=True) as subject:
        journal = Journal(yard)
        assert isinstance(procedure.logical, LogicalPlan)
        stale = dump(journal, subject.server, subject.database, procedure.logical, yard.folder / "stale", snapshot=None)
        with subject.traffic(journal.now) as traffic:
            backups = back_up(journal, subject, procedure, traffic, yard.folder / "repository", rest=True)
        yield Bench(scene, yard, subject, backups, stale, isolation, traffic.markers)


@dataclass(slots=True)
class Bench:
    """
    The subject, our own backups of it, and a dump from before them.
    """

    scene: Scene
    yard: Yard
    subject: Subject
    backups: Backups
    stale: LogicalBackup
    isolation: Sequence[Check]
    written: tuple[Marker, ...]
    facts: dict[str, str] = field(default_factory=dict)
    tries: int = 0
    mutations: Mapping[str, Mutation] = field(default_factory=lambda: MUTATIONS)

    def tried(self, mutation: str | None, *, state: str) -> Scene:
        """
        Run the procedure, mutated or not; return a scene with the rehearsal.

        Raises NotApplied when the mutation's probe does not see it.
        """
        self.tries += 1
        self.facts.clear()
        fault = None if mutation is None else self.mutations[mutation]
        procedure = our_procedure() if fault is None else fault.change(our_procedure())
        rehearsal = Rehearsal(procedure, self.backups.truth, Journal(self.yard), written=self.written)
        if fault is not None and fault.loses:
            rehearsal.lost_at_s = max((one.committed_s for one in self.written), default=0.0)
        if fault is None or fault.route == "logical":
            self._logically(rehearsal, fault)
        if fault is None or fault.route == "physical":
            self._physically(rehearsal, fault)
        return staged(replace(self.scene, state=state, memo={}), rehearsal)

    def _logically(self, rehearsal: Rehearsal, fault: Mutation | None) -> None:
        plan = self._filled(rehearsal.procedure)
        report = rehearsal.routes["logical"] = RouteReport("logical")
        place = self.yard.folder / f"try-{self.tries}"
        made: LogicalBackup | None = None
        whole: LogicalBackup | None = None
        with self.yard.spare() as server:
            try:
                whole = self._dumped(rehearsal.journal, plan, fault, place / "dump")
                made = damage(whole, plan, place / "damaged", words=KEEPSAKE)
                restore_dump(rehearsal.journal, server, self.subject.database, plan, made, folder=place / "fetched")
                look(report, server, self.subject.database, self.subject.groupings)
                after = self._aftermath(rehearsal)
                if report.failure is None:
                    after.prove(report, server)
                if report.failure is None and fault is not None and fault.serves:
                    with ExitStack() as front:
                        after.serve(report, server, front)
            except CommandFailed as error:
                report.failure = str(error)
            seen = ask_dump(self.yard, made.dump) if made else []
            report.naive = (*ask_exits(rehearsal.commands, "logical"), *seen)
            if fault is None or plan.piped:
                rehearsal.told, rehearsal.told_words = tells_failure(self.yard, self.subject, rehearsal.procedure)
            self._require_seen(fault, rehearsal, server, made=made, whole=whole)
        shutil.rmtree(place, ignore_errors=True)

    def _dumped(self, journal: Journal, plan: LogicalPlan, fault: Mutation | None, folder: Path) -> LogicalBackup:
        if plan.stale:
            return self.stale
        our = LogicalPlan()
        makes = (plan.dump_options, plan.dump_session, plan.dump_database, plan.piped, plan.globals_options)
        if makes == (our.dump_options, our.dump_session, our.dump_database, our.piped, our.globals_options):
            return self._our_logical()
        same = None if plan.globals_options != our.globals_options or plan.piped else self._our_logical().globals
        asked = plan if same is None else replace(plan, globals_options=None)
        with self._prepared(fault, plan):
            made = dump(journal, self.subject.server, self.subject.database, asked, folder, snapshot=None)
        return made if same is None else replace(made, globals=same)

    def _our_logical(self) -> LogicalBackup:
        assert isinstance(self.backups.logical, LogicalBackup)
        return self.backups.logical

    @contextmanager
    def _prepared(self, fault: Mutation | None, plan: LogicalPlan) -> Iterator[None]:
        if fault is None or fault.subject is None:
            yield
            return
        names = {role: sql.Identifier(self._account(role)) for role in _NAMED}
        apply, heal = (sql.SQL(text).format(**names) for text in fault.subject)
        with connect(self.subject.dsn(), "superuser", autocommit=True, purpose="mutation") as connection:
            connection.execute(apply)
            try:
                self._ask_facts(plan)
                yield
            finally:
                connection.execute(heal)

    def _ask_facts(self, plan: LogicalPlan) -> None:
        assert self.scene.target.tenancy is not None
        root = sql.Identifier(*self.scene.target.tenancy.root.split(".", 1))
        dsn = self.subject.server.database(self.subject.database).dsn("backup")
        if plan.dump_session:
            dsn = make_conninfo(dsn, options=plan.dump_session)
        with connect(dsn, "backup", read_only=True, purpose="fact") as connection:
            row = connection.execute("SELECT rolbypassrls FROM pg_roles WHERE rolname = current_user").fetchone()
            seen = connection.execute(sql.SQL("SELECT count(*) FROM {}").format(root)).fetchone()
        self.facts.update({"bypasses": str(row and row[0]), "tenants seen": str(seen and seen[0])})

    def _filled(self, procedure: Procedure) -> LogicalPlan:
        """
        Fill the target's setting and its largest tenant, its largest table and its schemas into the plan.
        """
        plan = procedure.logical
        assert isinstance(plan, LogicalPlan)
        portrait = self.backups.truth.portrait
        options = [
            option.format(each=schema, largest=portrait.largest_table)
            for option in plan.dump_options
            for schema in (sorted(portrait.schemas) if "{each}" in option else [""])
        ]
        plan = replace(plan, dump_options=tuple(options))
        tenancy = self.scene.target.tenancy
        if not plan.dump_session:
            return plan
        if tenancy is None:
            raise NotApplied("the target has no tenants")
        session = plan.dump_session.format(setting=tenancy.setting, tenant=portrait.largest_owner)
        return replace(plan, dump_session=session)

    def _physically(self, rehearsal: Rehearsal, fault: Mutation | None) -> None:
        plan = rehearsal.procedure.physical
        assert plan is not None
        report = rehearsal.routes["physical"] = RouteReport("physical")
        with self._archive(plan) as backup, self.yard.spare() as server:
            rehearsal.archive_needed = tuple(backup.needed)
            rehearsal.archive_missing = tuple(missing_segments(backup.archive, backup.needed))
            try:
                recover(rehearsal.journal, server, plan, backup)
                look(report, server, self.subject.database, self.subject.groupings)
                if report.failure is None and fault is not None and fault.serves:
                    if plan.promotes:
                        recover_further(rehearsal.journal, server, backup.archive)
                    with ExitStack() as front:
                        self._aftermath(rehearsal).serve(report, server, front)
            except CommandFailed as error:
                report.failure = str(error)
            seen = ask_physical(self.yard, backup.base, self.subject.dsn(), answers=server.running)
            report.naive = (*ask_exits(rehearsal.commands, "physical"), *seen)
            kept = frozenset(path.name for path in backup.archive.iterdir())
            self._require_seen(fault, rehearsal, server, needed=tuple(backup.needed), kept=kept)

    @contextmanager
    def _archive(self, plan: PhysicalPlan) -> Iterator[PhysicalBackup]:
        backup = self.backups.physical
        assert backup is not None
        if plan.hole:
            folder = self.yard.folder / f"archive-{self.tries}"
            shutil.copytree(backup.archive, folder)
            (folder / backup.needed[len(backup.needed) // 2]).unlink()
            yield replace(backup, archive=folder)
            shutil.rmtree(folder)
        elif plan.archives:
            yield backup
        else:
            with self._archiving_nothing() as point:
                yield replace(backup, point=point)

    @contextmanager
    def _archiving_nothing(self) -> Iterator[Point]:
        """
        Let the subject's archive_command be /bin/true, and make a further point; then bring the archive up to date.
        """
        with connect(self.subject.dsn(), "superuser", autocommit=True, purpose="mutation") as connection:
            shown = connection.execute("SHOW archive_command").fetchone()
            command = str(shown[0]) if shown else ""
            _set_archive_command(connection, "/bin/true")
            try:
                self._wait_for_setting("/bin/true")
                row = connection.execute(
                    "SELECT lsn::text, pg_walfile_name(lsn) FROM pg_create_restore_point('playbook-true') AS lsn"
                ).fetchone()
                assert row is not None
                connection.execute("SELECT pg_switch_wal()")
                wait_until_archived(self.subject.dsn(), str(row[1]))
                yield Point("playbook-true", str(row[0]), str(row[1]))
            finally:
                _set_archive_command(connection, command)
                self._wait_for_setting(command)
                for done in (self.subject.server.data_directory / "pg_wal" / "archive_status").glob("*.done"):
                    kept = self.subject.archive / done.stem
                    if not kept.exists():
                        shutil.copy2(done.parent.parent / done.stem, kept)

    def _wait_for_setting(self, command: str) -> None:
        for _ in range(200):
            with connect(self.subject.dsn(), "superuser", read_only=True, purpose="fact") as connection:
                row = connection.execute("SELECT current_setting('archive_command'), pg_sleep(0.01)").fetchone()
            if row is not None and row[0] == command:
                self.facts["archive_command"] = command
                return
        raise StackError("The subject does not take a setting on", hint="See its log.")

    def _require_seen(
        self,
        fault: Mutation | None,
        rehearsal: Rehearsal,
        server: Server,
        *,
        made: LogicalBackup | None = None,
        whole: LogicalBackup | None = None,
        needed: tuple[str, ...] = (),
        kept: frozenset[str] = frozenset(),
    ) -> None:
        if fault is None:
            return
        evidence = Evidence(
            commands=tuple(rehearsal.commands),
            dump=made.dump if made else None,
            globals=made.globals if made else None,
            whole=whole.dump if whole else None,
            stale=self.stale.dump,
            needed=needed,
            kept=kept,
            facts=dict(self.facts),
            log=server.log(),
        )
        if not fault.seen(evidence):
            failures = "; ".join(report.failure for report in rehearsal.routes.values() if report.failure)
            raise NotApplied(f"its probe does not see the mutation {failures and f'({failures})'}".rstrip())

    def _aftermath(self, rehearsal: Rehearsal) -> Aftermath:
        return Aftermath(self.yard, self.scene, self.subject, rehearsal.journal, self.isolation)

    def _account(self, role: Role) -> str:
        return str(conninfo_to_dict(self.subject.server.database(self.subject.database).dsn(role))["user"])


def _set_archive_command(connection: Connection[TupleRow], command: str) -> None:
    connection.execute(sql.SQL("ALTER SYSTEM SET archive_command = {}").format(sql.Literal(command)))
    connection.execute("SELECT pg_reload_conf()")
