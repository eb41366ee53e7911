"""
Owns the trial of the checks: each sabotage on a copy, between two green baselines (DESIGN §9).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from functools import partial

from playbook.errors import InputError, StackError, Unavailable
from playbook.evidence.result import CheckResult
from playbook.postgres.kept import kept_connections
from playbook.proof.apply import NotApplied, NotHealed, applied_sql, edits_of, switches_of, weakness_of
from playbook.proof.benches import open_benches
from playbook.proof.check import Check
from playbook.proof.copies import CopyForm
from playbook.proof.execute import run_checks
from playbook.proof.matrix import KillEntry, entries, not_tried, spell_red, void
from playbook.proof.procedure import ProcedureBench
from playbook.proof.sabotage import ProcedureFault, Sabotage, SqlFault
from playbook.proof.scene import Scene
from playbook.stack.protocol import Edit, Stack, Weakness
from playbook.target.scenario import Profile, includes
from playbook.target.target import Target

__all__ = ["Trial"]


@dataclass(slots=True)
class Trial:
    """
    One phase's checks against its sabotages.

    `smoke` answers None while the service works, else what does not; `applied` answers None when a switch or an
    edit is seen from outside in the copy that runs; `digest` is the catalogue's digest, by which a copy is known
    to be as it was, `copies` the form of the copies. `seen` hears each result, `told` each entry of the matrix.
    `bench` opens the subject of faults of a procedure, which have baselines of their own: the procedure unmutated,
    before and after.

    `observed` are results of `hardened` from just before, which serve as the baseline before. So many `jobs` go
    on at once: faults of the code each on a copy of its own, those of the schema on so many benches, those of roles,
    which the whole server sees, alone.
    """

    stack: Stack
    target: Target
    checks: Sequence[Check]
    seed: int
    profile: Profile
    smoke: Callable[[Scene], str | None]
    applied: Callable[[Scene, Sabotage], str | None]
    digest: Callable[[Scene], str]
    seen: Callable[[CheckResult], None] = lambda _: None
    told: Callable[[KillEntry], None] = lambda _: None
    copies: CopyForm = field(default_factory=CopyForm)
    bench: Callable[[], AbstractContextManager[ProcedureBench]] | None = None
    observed: Sequence[CheckResult] = ()
    jobs: int = 1
    _healed_to: dict[str, str] = field(default_factory=dict, init=False, repr=False)

    def run(self, sabotages: Sequence[Sabotage]) -> list[KillEntry]:
        """
        Try each sabotage that the profile asks for; return the matrix. Works on throw-away copies only.

        Without a green baseline before and after, every entry is void: a red that was there anyway is no kill.
        """
        wanted = [s for s in sabotages if includes(self.profile, s.profile)]
        matrix: list[KillEntry] = []
        of_procedure = [s for s in wanted if isinstance(s.fault, ProcedureFault)]
        others = [s for s in wanted if s not in of_procedure]
        if others:
            matrix += self._tried(others)
        if of_procedure:
            matrix += self._on_procedure(of_procedure)
        for sabotage in sabotages:
            if sabotage not in wanted:
                matrix += not_tried(sabotage, f"not tried in profile {self.profile}")
        for entry in matrix:
            self.told(entry)
        return matrix

    def _tried(self, wanted: Sequence[Sabotage]) -> list[KillEntry]:
        if red := self._red_before():
            return self._all_void(wanted, f"the baseline before is not green: {red}")
        of_schema = [one for one in wanted if isinstance(one.fault, SqlFault)]
        of_code = [one for one in wanted if one not in of_schema]
        asked = [one for one in self.checks if any(one in self.asked(sabotage) for sabotage in wanted)]
        count = self.jobs if of_schema else 1
        with (
            ThreadPoolExecutor(self.jobs) as pool,
            open_benches(lambda: self._copy("hardened"), pool, count=count) as benches,
        ):
            matrix = [entry for found in pool.map(self._on_own_copy, of_code) for entry in found]
            matrix += benches.each(self._on_bench, of_schema)
            reds = list(pool.map(partial(self._baseline, asked), benches.scenes))
        red = "; ".join(one for one in reds if one)
        return self._all_void(wanted, f"the baseline after is not green: {red}") if red else matrix

    def _red_before(self) -> str | None:
        if self.observed:
            return spell_red(self.observed)
        with self._copy("hardened") as bench:
            return self._baseline(self.checks, bench)

    def _on_bench(self, sabotage: Sabotage, bench: Scene) -> list[KillEntry]:
        assert isinstance(sabotage.fault, SqlFault)
        # What the last fault's copy was healed to is what this one finds; after any other end it is read anew.
        before = self._healed_to.pop(bench.database.name, None) or self.digest(bench)
        try:
            with applied_sql(sabotage.fault, bench.database):
                found = self._judged(sabotage, _as(bench, sabotage))
        except (NotApplied, NotHealed) as err:
            return void(sabotage, str(err))
        after = self.digest(bench)
        if after != before:
            return void(sabotage, "the copy's catalogue is not what it was: it was not healed")
        self._healed_to[bench.database.name] = after
        return found

    def _on_own_copy(self, sabotage: Sabotage) -> list[KillEntry]:
        try:
            with self._copy(
                f"sabotaged:{sabotage.name}",
                without=switches_of(sabotage),
                edits=edits_of(sabotage),
                weakness=weakness_of(sabotage),
            ) as scene:
                unseen = self.applied(scene, sabotage)
                return void(sabotage, unseen) if unseen else self._judged(sabotage, scene)
        except (InputError, StackError) as err:
            return void(sabotage, err.message)
        except Unavailable as err:
            return not_tried(sabotage, err.message)

    def _on_procedure(self, wanted: Sequence[Sabotage]) -> list[KillEntry]:
        if self.bench is None:
            return self._all_void(wanted, "this phase has no procedure to mutate")
        try:
            with self.bench() as bench:
                red = self._red(bench.tried(None, state="hardened"))
                if red:
                    return self._all_void(wanted, f"the baseline before is not green: {red}")
                with ThreadPoolExecutor(self.jobs) as pool:
                    tried = pool.map(partial(self._mutated, bench), wanted)
                    matrix = [entry for found in tried for entry in found]
                red = self._red(bench.tried(None, state="hardened"))
        except (InputError, StackError, Unavailable) as err:
            return self._all_void(wanted, err.message)
        return self._all_void(wanted, f"the baseline after is not green: {red}") if red else matrix

    def _mutated(self, bench: ProcedureBench, sabotage: Sabotage) -> list[KillEntry]:
        assert isinstance(sabotage.fault, ProcedureFault)
        try:
            scene = bench.tried(sabotage.fault.mutation, state=f"sabotaged:{sabotage.name}")
        except (NotApplied, InputError, StackError) as err:
            return void(sabotage, str(err).splitlines()[0])
        return entries(sabotage, run_checks(self.checks, scene, seen=self.seen))

    def _judged(self, sabotage: Sabotage, scene: Scene) -> list[KillEntry]:
        with kept_connections():
            broken = self.smoke(scene)
            if broken is not None:
                return void(sabotage, f"it broke the service: {broken}")
            return entries(sabotage, run_checks(self.asked(sabotage), scene, seen=self.seen))

    def asked(self, sabotage: Sabotage) -> list[Check]:
        """
        Choose the checks to ask under one sabotage: those that it names, and every other that it could turn red.
        """
        schema_only = isinstance(sabotage.fault, SqlFault)

        def wanted(one: Check) -> bool:
            reached = one.reach == "all" or (one.reach == "rows") is schema_only
            return one.id in sabotage.kills or (reached and not (one.dear and self.profile == "quick"))

        return [one for one in self.checks if wanted(one)]

    def _baseline(self, asked: Sequence[Check], bench: Scene) -> str | None:
        fresh = replace(bench, memo={})
        with kept_connections():
            broken = self.smoke(fresh)
            return spell_red(run_checks(asked, fresh)) if broken is None else f"smoke test: {broken}"

    def _red(self, bench: Scene) -> str | None:
        return spell_red(run_checks(self.checks, bench))

    def _all_void(self, wanted: Sequence[Sabotage], reason: str) -> list[KillEntry]:
        return [entry for sabotage in wanted for entry in void(sabotage, reason)]

    @contextmanager
    def _copy(
        self,
        state: str,
        *,
        without: Sequence[str] = (),
        edits: Sequence[Edit] = (),
        weakness: Weakness | None = None,
    ) -> Iterator[Scene]:
        with self.copies.make(self.stack, "hardened", without=without, edits=edits, weakness=weakness) as site:
            yield Scene.of(site, state=state, target=self.target, seed=self.seed, profile=self.profile)


def _as(scene: Scene, sabotage: Sabotage) -> Scene:
    return replace(scene, state=f"sabotaged:{sabotage.name}", memo={})
