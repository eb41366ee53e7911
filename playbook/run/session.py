"""
Owns a phase's session in a notebook: observe, harden, sabotage, verdict. It must hold no question of its own.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from playbook.errors import InputError, VerdictFailed, VerdictUndecided
from playbook.evidence.client import Emitter, emit_check
from playbook.evidence.events import CheckDone, Event, Note, SmokeTested
from playbook.evidence.result import CheckResult
from playbook.postgres.catalog import schema_digest
from playbook.postgres.connect import connect
from playbook.postgres.kept import kept_connections
from playbook.proof.check import Check
from playbook.proof.execute import run_checks
from playbook.proof.matrix import KillEntry
from playbook.proof.procedure import ProcedureBench
from playbook.proof.scene import Scene
from playbook.proof.trial import Trial
from playbook.run.phases import Phase, find_phase
from playbook.run.relay import Relay
from playbook.run.verdict import RunningLog, Verdict
from playbook.service.applied import applied_beside
from playbook.service.smoke import smoke
from playbook.service.version import read_version
from playbook.stack.protocol import Stack, State
from playbook.target.scenario import Mode, Profile
from playbook.target.target import Target

__all__ = ["Session"]


@dataclass(slots=True)
class Session:
    """
    One phase, joined to one run and one stack.

    Cells can be run again: an observation replaces the one before it. `live`: a person sits before it in Jupyter.
    """

    phase: Phase
    target: Target
    stack: Stack
    mode: Mode
    profile: Profile
    seed: int
    without: frozenset[str]
    emitter: Emitter
    folder: Path
    finish: Callable[[Verdict], None] = lambda _: None
    say: Callable[[str], None] = print
    live: bool = False
    matrix: list[KillEntry] = field(default_factory=list)
    observed: dict[State, list[CheckResult]] = field(default_factory=dict)
    log: RunningLog = field(init=False)

    def __post_init__(self) -> None:
        self.log = RunningLog(self.folder, self.phase.id)

    def scene(self, state: State) -> Scene:
        """
        Look at a state as checks do. Read-only.
        """
        return Scene.of(self.stack.site(state), state=state, target=self.target, seed=self.seed, profile=self.profile)

    def observe(self, state: State, *, only: str | None = None) -> list[CheckResult]:
        """
        Ask this phase's checks of one state, or the `only` one named; each result goes into the evidence at once.

        Checks that write get a throw-away copy of the state, with an app of its own.
        """
        checks = [one for one in self.phase.checks if only in (None, one.id)]
        self.observed.pop(state, None)
        copies: list[Check] = [one for one in checks if one.on == "copy"]
        found: list[CheckResult] = []
        with ExitStack() as stack:
            place = {"state": self._rehearsed(state)}
            if copies:
                form = self.phase.copies(self.target, self.profile)
                site = stack.enter_context(form.make(self.stack, state))
                place["copy"] = Scene.of(site, state=state, target=self.target, seed=self.seed, profile=self.profile)
            stack.enter_context(kept_connections())
            for one in checks:
                found += [
                    emit_check(self.emitter, r) for r in run_checks([one], place[one.on], attach=self.emitter.attach)
                ]
        if only is None:
            self.observed[state] = found
        return found

    def _rehearsed(self, state: State) -> Scene:
        scene = self.scene(state)
        if self.phase.rehearse is None:
            return scene
        return self.phase.rehearse(self.stack, state, scene, say=self.say)

    def harden(self) -> None:
        """
        Harden the state `hardened` as this phase does, saying each thing that changes; then smoke-test it.
        """
        if self.mode == "audit":
            self.say("mode audit: nothing is hardened")
            return
        begun = time.monotonic()
        self.observed.clear()
        self.phase.harden(self.stack, self.target, without=self.without, say=self.say)
        broken = smoke(self.scene("hardened"))
        self.emitter.emit(SmokeTested(phase=self.phase.id, state="hardened", broken=broken))
        if broken is not None:
            raise VerdictUndecided(f"the hardened service does not work: {broken}", hint="Look at the app's log.")
        self.say(f"the hardened service works (smoke test); {time.monotonic() - begun:.1f} s")

    def sabotage(self) -> list[KillEntry]:
        """
        Try this phase's sabotages on copies of `hardened`; return the kill matrix.
        """
        if self.mode == "audit":
            self.say("mode audit: these checks were seen to fail on the reference service")
            return []
        self.matrix = []
        with Relay(self.emitter) as relay:
            self.trial(relay.send).run(self.phase.sabotages)
        return self.matrix

    def trial(self, send: Callable[[Event], None] | None = None) -> Trial:
        """
        Prepare the trial of this phase's checks; nothing is touched until it runs. `send` takes its evidence.
        """
        send = send or self._emit
        return Trial(
            stack=self.stack,
            target=self.target,
            checks=self.phase.checks,
            seed=self.seed,
            profile=self.profile,
            smoke=smoke,
            applied=applied_beside(read_version(self.stack.endpoints("hardened"))),
            digest=_digest,
            seen=lambda result: send(CheckDone(result=result)),
            told=lambda entry: self._told(entry, send),
            copies=self.phase.copies(self.target, self.profile),
            bench=self._bench(),
            observed=self.observed.get("hardened", ()),
            jobs=self.phase.jobs,
        )

    def _bench(self) -> Callable[[], AbstractContextManager[ProcedureBench]] | None:
        opened = self.phase.bench
        return None if opened is None else partial(opened, self.stack, self.scene("hardened"))

    def verdict(self) -> Verdict:
        """
        Return the phase's verdict; raise VerdictFailed or VerdictUndecided unless it passed.
        """
        verdict = self.log.verdict()
        self.finish(verdict)
        if verdict.outcome == "fail":
            raise VerdictFailed(str(verdict), hint="Each red row names its remedy; `playbook explain CHECK` says more.")
        if verdict.outcome != "pass":
            raise VerdictUndecided(str(verdict), hint="The reasons stand beside the checks that could not be decided.")
        return verdict

    @property
    def results(self) -> tuple[CheckResult, ...]:
        """
        This phase's results so far in all states, as stored. Read-only.
        """
        return self.log.verdict().record.checks

    def attach(self, name: str, content: bytes) -> str:
        """
        Store a file beside the results, such as a table that a notebook shows; return its path in the run's folder.
        """
        return self.emitter.attach(name, content)

    def note(self, text: str) -> None:
        """
        Write a remark into the evidence; it decides nothing.
        """
        self.emitter.emit(Note(phase=self.phase.id, text=text))

    def _emit(self, event: Event) -> None:
        self.emitter.emit(event)

    def _told(self, entry: KillEntry, send: Callable[[Event], None]) -> None:
        self.matrix.append(entry)
        send(entry.event(self.phase.id))


def require_needs(
    phase: Phase, stack: Stack, target: Target, *, without: frozenset[str], say: Callable[[str], None]
) -> None:
    """
    Bring the stack to what a phase needs, saying so first; what is done already is not done again.
    """
    for need in phase.needs:
        say_need = partial(_say_need, say, need)
        find_phase(need).harden(stack, target, without=without, say=say_need)


def _say_need(say: Callable[[str], None], need: str, text: str) -> None:
    say(f"needs phase {need}: {text}")


def check_without(names: Sequence[str], target: Target) -> frozenset[str]:
    """
    Check names of switches. Raises InputError that lists those there are.
    """
    known = set(target.service.switches) if target.service else set()
    unknown = sorted(set(names) - known)
    if unknown:
        raise InputError(
            f"without: {', '.join(unknown)}: no such switch", hint=f"Known: {', '.join(sorted(known)) or 'none'}."
        )
    return frozenset(names)


def _digest(scene: Scene) -> str:
    with connect(scene.database, "superuser") as conn:
        return schema_digest(conn)
