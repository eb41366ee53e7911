"""
Owns one sabotage held open: brought into a throw-away copy, looked at, healed, and looked at again.

It is for showing. What counts is the trial, which also asks what was not to turn red.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace

from playbook.errors import InputError
from playbook.evidence.result import CheckResult
from playbook.proof.apply import NotApplied, applied_sql, edits_of, switches_of
from playbook.proof.check import Check
from playbook.proof.execute import run_checks
from playbook.proof.procedure import ProcedureBench
from playbook.proof.sabotage import ProcedureFault, Sabotage, SqlFault
from playbook.proof.scene import Scene
from playbook.proof.trial import Trial

__all__ = ["Breakage"]


@dataclass(slots=True)
class Breakage:
    """
    One sabotage and the copy that it is brought into. A copy lives from `apply_fault` to `heal_fault` or `close`.
    """

    trial: Trial
    sabotage: Sabotage
    _copies: ExitStack = field(default_factory=ExitStack)
    _fault: ExitStack = field(default_factory=ExitStack)
    _scene: Scene | None = None
    _bench: ProcedureBench | None = None

    @property
    def named(self) -> Sequence[Check]:
        """
        The checks that must turn red.
        """
        return [one for one in self.trial.checks if one.id in self.sabotage.kills]

    def apply_fault(self) -> list[CheckResult]:
        """
        Make the copy, bring the fault in, and ask the checks that it names.

        Raises NotApplied when the fault is not seen or broke the service, InputError or StackError when it could not
        be brought in.
        """
        self.close()
        try:
            return self._asked(self._broken())
        except BaseException:
            self.close()
            raise

    def heal_fault(self) -> list[CheckResult]:
        """
        Take the fault out, ask the same checks again, and destroy the copy.

        A copy whose code or switch was the fault is made anew without it. Raises NotHealed when the fault is still
        seen, InputError when nothing is broken.
        """
        if self._scene is None:
            raise InputError("nothing is broken", hint="Break it first.")
        try:
            return self._asked(self._healed())
        finally:
            self.close()

    def close(self) -> None:
        """
        Heal and destroy what is still there.
        """
        self._scene = self._bench = None
        try:
            self._fault.close()
        finally:
            self._copies.close()

    def _broken(self) -> Scene:
        name, fault = f"sabotaged:{self.sabotage.name}", self.sabotage.fault
        if isinstance(fault, ProcedureFault):
            if self.trial.bench is None:
                raise InputError("this phase has no procedure to mutate", hint="Choose another fault.")
            self._bench = self._copies.enter_context(self.trial.bench())
            self._scene = self._bench.tried(fault.mutation, state=name)
            return self._scene
        self._scene = replace(self._copy(broken=not isinstance(fault, SqlFault)), state=name, memo={})
        if isinstance(fault, SqlFault):
            self._fault.enter_context(applied_sql(fault, self._scene.database))
        elif unseen := self.trial.applied(self._scene, self.sabotage):
            raise NotApplied(unseen)
        if broken := self.trial.smoke(self._scene):
            raise NotApplied(f"it broke the service: {broken}")
        return self._scene

    def _healed(self) -> Scene:
        assert self._scene is not None
        if self._bench is not None:
            return self._bench.tried(None, state="hardened")
        if isinstance(self.sabotage.fault, SqlFault):
            self._fault.close()
            return replace(self._scene, state="hardened", memo={})
        self._copies.close()
        return self._copy(broken=False)

    def _copy(self, *, broken: bool) -> Scene:
        trial = self.trial
        site = self._copies.enter_context(
            trial.copies.make(
                trial.stack,
                "hardened",
                without=switches_of(self.sabotage) if broken else (),
                edits=edits_of(self.sabotage) if broken else (),
            )
        )
        return Scene.of(site, state="hardened", target=trial.target, seed=trial.seed, profile=trial.profile)

    def _asked(self, scene: Scene) -> list[CheckResult]:
        return run_checks(self.named, scene)
