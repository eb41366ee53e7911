"""
Owns `open_phase`: how a notebook joins its run and its stack, in batch and by hand.
"""

from __future__ import annotations

import os
import secrets
import sys
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from playbook.errors import InputError, StackError
from playbook.evidence.client import DirectEmitter, Emitter, SocketEmitter
from playbook.evidence.events import PhaseEnded, PhaseStarted, Runner, StackUp
from playbook.evidence.folder import RunFolder, create_run, evidence_home, open_interactive, workplace_of
from playbook.evidence.log import EventLog
from playbook.evidence.redact import Redactor
from playbook.places import Places, places
from playbook.run.begin import parts_of, phase_plan, run_started
from playbook.run.plan import Asked, PhasePlanned, RunPlan, make_plan
from playbook.run.session import Session, require_needs
from playbook.run.stacks import attach_stack, create_stack, hand_name
from playbook.run.verdict import Verdict
from playbook.stack import LocalStack

__all__ = ["open_phase"]

SAY: Callable[[str], None] = print
"""In a notebook a cell's output is what is said."""


def open_phase(
    phase: str,
    *,
    scenario: str = "reference",
    stack: str = "local",
    profile: str = "quick",
    seed: int = 1,
    without: list[str] | None = None,
    **parameters: object,
) -> Session:
    """
    Open a phase: join the run in PLAYBOOK_RUN, else this checkout's open run by hand, else begin one.

    By hand it also brings the stack to what the phase needs, saying so first. Raises InputError for a parameter
    that is unknown or ill-typed, before anything is started.
    """
    _require_own_environment(os.environ)
    here = places()
    asked = Asked(
        scenario=scenario,
        stack=stack,
        profile=profile,
        seed=seed,
        phases=(phase,),
        without=tuple(without or ()),
        parameters={name: str(value) for name, value in parameters.items()},
    )
    plan = make_plan(asked, here)
    emitter = SocketEmitter.from_environ(os.environ)
    if emitter is not None:
        return _in_batch(plan, emitter)
    return _by_hand(plan, here)


def _in_batch(plan: RunPlan, emitter: SocketEmitter) -> Session:
    attached = attach_stack(os.environ["PLAYBOOK_STACK_NAME"])
    if attached is None:
        raise StackError("the run's stack is gone", hint="Run it again.")
    require_needs(plan.phases[0].phase, attached, plan.target, without=plan.without, say=SAY)
    return _session(plan, attached, emitter, Path(os.environ["PLAYBOOK_RUN"]))


def _by_hand(plan: RunPlan, here: Places) -> Session:
    folder = _joined(plan, here, os.environ)
    log = EventLog(folder.events, clock=lambda: datetime.now(UTC))
    emitter = DirectEmitter(log, Redactor())
    live = "JPY_SESSION_NAME" in os.environ
    if not log.entries():
        runner: Runner = "interactive" if live else "external"
        emitter.emit(run_started(plan, folder, here=here, runner=runner, started=datetime.now(UTC)))
    SAY(f"run by hand, not sealed until `playbook close`: {folder.path}")
    attached = _stack_by_hand(plan, hand_name(here.root, folder.home), emitter)
    planned = plan.phases[0]
    emitter.emit(PhaseStarted(plan=phase_plan(planned), parameters=dict(planned.parameters)))
    require_needs(planned.phase, attached, plan.target, without=plan.without, say=SAY)
    begun = time.monotonic()
    finish = partial(_finish, emitter, planned, begun)
    return _session(plan, attached, emitter, folder.path, finish, live=live)


def _joined(plan: RunPlan, here: Places, environ: Mapping[str, str]) -> RunFolder:
    named = environ.get("PLAYBOOK_RUN")
    if named:
        folder = RunFolder(Path(named).resolve())
        if folder.manifest.exists():
            raise InputError(f"PLAYBOOK_RUN: {folder.path} is sealed", hint="Unset it, or name another folder.")
        folder.notebooks.mkdir(parents=True, exist_ok=True)
        folder.attachments.mkdir(exist_ok=True)
        return folder
    home = evidence_home(None, environ=environ, default=here.evidence)
    found = open_interactive(home, workplace_of(here.root))
    return found or create_run(home, plan.scenario.name, now=datetime.now(UTC), token=secrets.token_hex)


def _stack_by_hand(plan: RunPlan, name: str, emitter: Emitter) -> LocalStack:
    """
    Attach to this checkout's stack, or bring one up, saying so first.
    """
    attached = attach_stack(name)
    if attached is None:
        SAY(f"no stack runs: bringing up {name} (it lives until `playbook down {name}`)")
        attached = create_stack(
            plan.target,
            backend=plan.scenario.stack,
            name=name,
            profile=plan.scenario.profile,
            seed=plan.scenario.seed,
            run_folder=None,
            owned=False,
        )
        attached.up()
    emitter.protect(attached.secrets.values())
    emitter.emit(
        StackUp(
            stack=name,
            backend=plan.scenario.stack,
            capabilities=tuple(sorted(attached.capabilities)),
            parts=parts_of(attached),
        )
    )
    return attached


def _session(
    plan: RunPlan,
    stack: LocalStack,
    emitter: Emitter,
    folder: Path,
    finish: Callable[[Verdict], None] = lambda _: None,
    *,
    live: bool = False,
) -> Session:
    planned = plan.phases[0]
    return Session(
        phase=planned.phase,
        target=plan.target,
        stack=stack,
        mode=planned.mode,
        profile=plan.scenario.profile,
        seed=plan.scenario.seed,
        without=plan.without,
        emitter=emitter,
        folder=folder,
        finish=finish,
        live=live,
    )


def _finish(emitter: Emitter, planned: PhasePlanned, begun: float, verdict: Verdict) -> None:
    """
    By hand nobody else says that a phase ended.
    """
    del verdict
    emitter.emit(PhaseEnded(phase=planned.phase.id, outcome="pass", duration_s=round(time.monotonic() - begun, 3)))


def _require_own_environment(environ: Mapping[str, str]) -> None:
    """
    Refuse a kernel of another environment: its packages are not those that the evidence names.
    """
    wanted = environ.get("PLAYBOOK_PREFIX")
    if wanted and Path(wanted).resolve() != Path(sys.prefix).resolve():
        raise InputError(
            f"this kernel runs in {sys.prefix}, not in {wanted}", hint="Choose the project's kernel: make lab."
        )
