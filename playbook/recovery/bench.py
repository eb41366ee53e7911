"""
Owns trying mutated procedures: one small subject that stays alive, and for each mutation only the stages it touches.

Whether time is kept and a whole server lost is the drill's; here backups are shared between the tries that leave them
as they are, and a fault that `loses` is judged as if the subject were gone.
"""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path

from playbook.proof.apply import NotApplied
from playbook.proof.check import Check
from playbook.proof.scene import Scene
from playbook.recovery.archive import missing_segments
from playbook.recovery.backing_up import Backups, tells_failure
from playbook.recovery.journal import Command, CommandFailed, Journal, Route
from playbook.recovery.logical import LogicalBackup, damage, dump, restore_dump
from playbook.recovery.mutations import MUTATIONS, Evidence, Mutation
from playbook.recovery.naive import Naive, ask_dump, ask_exits, ask_physical
from playbook.recovery.physical import recover, recover_further
from playbook.recovery.planting import KEEPSAKE
from playbook.recovery.procedure import LogicalPlan, our_procedure
from playbook.recovery.rehearsal import Rehearsal, RouteReport, staged
from playbook.recovery.restoring import Aftermath, look
from playbook.recovery.subject import Subject
from playbook.recovery.tampering import filled, tampered_archive, tampered_subject
from playbook.recovery.traffic import Marker
from playbook.recovery.yard import Yard
from playbook.stack.protocol import Server

__all__ = ["Bench"]


@dataclass(slots=True)
class Bench:
    """
    The subject, our own backups of it with the commands that made them, and a dump from before.
    """

    scene: Scene
    yard: Yard
    subject: Subject
    backups: Backups
    stale: LogicalBackup
    isolation: Sequence[Check]
    written: tuple[Marker, ...]
    made_by: tuple[Command, ...]
    mutations: Mapping[str, Mutation] = field(default_factory=lambda: MUTATIONS)
    tries: Iterator[int] = field(default_factory=lambda: count(1))
    alone: threading.Lock = field(default_factory=threading.Lock)
    """Held while the subject is tampered with or dumped anew, or the service serves from a restored server."""

    def tried(self, mutation: str | None, *, state: str) -> Scene:
        """
        Run the procedure, mutated or not; return a scene with the rehearsal. Several may be tried at once.

        Raises NotApplied when the mutation's probe does not see it.
        """
        fault = None if mutation is None else self.mutations[mutation]
        procedure = our_procedure() if fault is None else fault.change(our_procedure())
        rehearsal = Rehearsal(procedure, self.backups.truth, Journal(self.yard), written=self.written)
        if fault is not None and fault.loses:
            rehearsal.lost_at_s = max((one.committed_s for one in self.written), default=0.0)
        place = self.yard.folder / f"try-{next(self.tries)}"
        ways = {"logical": self._logically, "physical": self._physically}
        with ThreadPoolExecutor(len(ways)) as pool:
            begun = [
                pool.submit(way, rehearsal, fault, place)
                for route, way in ways.items()
                if fault is None or fault.route == route
            ]
            for one in begun:
                one.result()
        shutil.rmtree(place, ignore_errors=True)
        return staged(replace(self.scene, state=state, memo={}), rehearsal)

    def _logically(self, rehearsal: Rehearsal, fault: Mutation | None, place: Path) -> None:
        assert isinstance(rehearsal.procedure.logical, LogicalPlan)
        plan = filled(rehearsal.procedure.logical, self.backups.truth.portrait, self.scene.target.tenancy)
        report = rehearsal.routes["logical"] = RouteReport("logical")
        made: LogicalBackup | None = None
        whole: LogicalBackup | None = None
        facts: dict[str, str] = {}
        with self.yard.spare() as server:
            try:
                whole = self._dumped(rehearsal.journal, plan, fault, place / "dump", facts)
                made = damage(whole, plan, place / "damaged", words=KEEPSAKE)
                restore_dump(rehearsal.journal, server, self.subject.database, plan, made, folder=place / "fetched")
                look(report, server, self.subject.database, self.subject.groupings)
                if report.failure is None:
                    self._aftermath(rehearsal).prove(report, server)
                    self._serve(rehearsal, fault, report, server)
            except CommandFailed as error:
                report.failure = str(error)
            seen = ask_dump(self.yard, made.dump) if made else []
            report.naive = (*self._exits(rehearsal, "logical"), *seen)
            if fault is None or plan.piped:
                rehearsal.told, rehearsal.told_words = tells_failure(self.yard, self.subject, rehearsal.procedure)
            self._require_seen(fault, rehearsal, server, facts, made=made, whole=whole)

    def _dumped(
        self, journal: Journal, plan: LogicalPlan, fault: Mutation | None, folder: Path, facts: dict[str, str]
    ) -> LogicalBackup:
        if plan.stale:
            return self.stale
        ours = self.backups.logical
        assert isinstance(ours, LogicalBackup)
        if plan.dumped_as(LogicalPlan()):
            return ours
        same = None if plan.globals_options != LogicalPlan().globals_options or plan.piped else ours.globals
        asked = plan if same is None else replace(plan, globals_options=None)
        tampering = None if fault is None else fault.subject
        with self.alone, tampered_subject(self.subject, tampering, session=plan.dump_session) as told:
            facts.update(told)
            made = dump(journal, self.subject.server, self.subject.database, asked, folder, snapshot=None)
        return made if same is None else replace(made, globals=same)

    def _physically(self, rehearsal: Rehearsal, fault: Mutation | None, place: Path) -> None:
        plan, whole = rehearsal.procedure.physical, self.backups.physical
        assert plan is not None and whole is not None  # noqa: PT018 (our procedure has both)
        report = rehearsal.routes["physical"] = RouteReport("physical")
        with (
            nullcontext() if plan.archives else self.alone,
            tampered_archive(self.subject, whole, plan, place / "archive") as (backup, facts),
            self.yard.spare() as server,
        ):
            rehearsal.archive_needed = tuple(backup.needed)
            rehearsal.archive_missing = tuple(missing_segments(backup.archive, backup.needed))
            try:
                recover(rehearsal.journal, server, plan, backup)
                look(report, server, self.subject.database, self.subject.groupings)
                if report.failure is None and plan.promotes and fault is not None and fault.serves:
                    recover_further(rehearsal.journal, server, backup.archive)
                if report.failure is None:
                    self._serve(rehearsal, fault, report, server)
            except CommandFailed as error:
                report.failure = str(error)
            seen = ask_physical(self.yard, backup.base, self.subject.dsn(), answers=server.running)
            report.naive = (*self._exits(rehearsal, "physical"), *seen)
            kept = frozenset(path.name for path in backup.archive.iterdir())
            self._require_seen(fault, rehearsal, server, facts, needed=tuple(backup.needed), kept=kept)

    def _serve(self, rehearsal: Rehearsal, fault: Mutation | None, report: RouteReport, server: Server) -> None:
        if fault is not None and fault.serves:
            with self.alone, ExitStack() as front:
                self._aftermath(rehearsal).serve(report, server, front)

    def _exits(self, rehearsal: Rehearsal, route: Route) -> Sequence[Naive]:
        """
        Look how the commands ended, with those that made the backups which this try shares.
        """
        own = [one for one in rehearsal.commands if one.route == route]
        shared = [] if any(one.step.startswith("backup:") for one in own) else self.made_by
        return ask_exits([*shared, *own], route)

    def _aftermath(self, rehearsal: Rehearsal) -> Aftermath:
        return Aftermath(self.yard, self.scene, self.subject, rehearsal.journal, self.isolation)

    def _require_seen(
        self,
        fault: Mutation | None,
        rehearsal: Rehearsal,
        server: Server,
        facts: Mapping[str, str],
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
            facts=dict(facts),
            log=server.log(),
        )
        if not fault.seen(evidence):
            failures = "; ".join(report.failure for report in rehearsal.routes.values() if report.failure)
            raise NotApplied(f"its probe does not see the mutation {failures and f'({failures})'}".rstrip())
