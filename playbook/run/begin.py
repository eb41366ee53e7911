"""
Owns the first event of a run: who runs what, with which sources, and what the scenario asks.
"""

from __future__ import annotations

import getpass
import hashlib
import os
from datetime import datetime

from playbook.evidence.checkout import fingerprint_checkout
from playbook.evidence.events import Part, PhasePlan, Previous, Runner, RunStarted, Waiver
from playbook.evidence.folder import RunFolder, workplace_of
from playbook.evidence.index import read_index
from playbook.places import Places
from playbook.report.requirements import read_mappings
from playbook.run.plan import PhasePlanned, RunPlan
from playbook.stack.protocol import Stack

__all__ = ["parts_of", "phase_plan", "run_started"]


def run_started(plan: RunPlan, folder: RunFolder, *, here: Places, runner: Runner, started: datetime) -> RunStarted:
    """
    Make the first event of a run. Read-only.
    """
    lines = read_index(folder.home).lines
    previous = Previous(run_id=lines[-1].run_id, manifest=lines[-1].manifest) if lines else None
    scenario = plan.scenario
    return RunStarted(
        run_id=folder.run_id,
        scenario=scenario.name,
        runner=runner,
        profile=scenario.profile,
        pid=os.getpid(),
        started=started,
        actor=getpass.getuser(),
        seed=scenario.seed,
        parameters={
            "stack": scenario.stack,
            "profile": scenario.profile,
            "seed": scenario.seed,
            "without": sorted(plan.without),
            **scenario.parameters,
        },
        target=plan.target.name,
        target_sha256=hashlib.sha256(plan.target_path.read_bytes()).hexdigest(),
        phases=tuple(phase_plan(one) for one in plan.phases),
        require=scenario.require,
        waivers=tuple(Waiver(**w.model_dump()) for w in scenario.waivers),
        requirements=read_mappings(here.data / "mappings.yaml").checks_by_requirement(),
        checkout=fingerprint_checkout(here.root, lock=here.env / "requirements.lock"),
        workplace=workplace_of(here.root),
        previous=previous,
    )


def phase_plan(one: PhasePlanned) -> PhasePlan:
    """
    Say a phase as the evidence knows it.
    """
    return PhasePlan(
        id=one.phase.id, notebook=one.phase.notebook, mode=one.mode, checks=tuple(c.id for c in one.phase.checks)
    )


def parts_of(stack: Stack) -> dict[str, Part]:
    """
    Read the fingerprint of the running parts.
    """
    return {
        name: Part(version=part.version, digest=part.digest, origin=part.origin)
        for name, part in stack.fingerprint().items()
    }
