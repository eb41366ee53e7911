"""
Owns executing a planned run in batch: one stack, one writer, each phase's notebook in turn, then the seal.
"""

from __future__ import annotations

import os
import secrets
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from playbook.errors import PlaybookError
from playbook.evidence.events import Interrupted, RunEnded, StackUp
from playbook.evidence.folder import RunFolder, create_run
from playbook.evidence.log import EventLog
from playbook.evidence.outcome import Exit, exit_for
from playbook.evidence.redact import Redactor
from playbook.evidence.run import Run, read_run
from playbook.evidence.seal import Render, seal
from playbook.evidence.writer import Writer
from playbook.places import Places
from playbook.run.aftermath import take_down
from playbook.run.batch import CELL_LIMITS_S, Batch, run_phases
from playbook.run.begin import parts_of, run_started
from playbook.run.plan import RunPlan
from playbook.run.progress import HeardEmitter, Progress
from playbook.run.stacks import create_stack
from playbook.stack import LocalStack
from playbook.stack.registry import folder_of

__all__ = ["Finished", "execute"]


@dataclass(frozen=True, slots=True)
class Finished:
    """
    A run that came to its end, sealed, and what the command should exit with.
    """

    run: Run
    exit_code: int
    stack: str | None = None


def now() -> datetime:
    """
    Tell the time.
    """
    return datetime.now(UTC)


def execute(
    plan: RunPlan,
    *,
    home: Path,
    here: Places,
    progress: Progress,
    render: Render | None,
    keep: bool = False,
    clock: Callable[[], datetime] = now,
) -> Finished:
    """
    Run the plan. The stack is destroyed at the end unless `keep`; the run is sealed whatever happened.

    Raises EvidenceError when the evidence cannot be written, in which case nothing is started.
    """
    folder = create_run(home, plan.scenario.name, now=clock(), token=secrets.token_hex)
    with EventLog(folder.events, clock=clock, hold=True) as log, _terminated_as_interrupt():
        emitter = HeardEmitter(log, Redactor())
        emitter.hear = progress.hear
        emitter.emit(run_started(plan, folder, here=here, runner="playbook", started=clock()))
        exit_code, kept = _guarded(plan, folder, emitter, here, keep=keep, progress=progress)
        run = _sealed(folder, log, render)
    code = exit_code if exit_code is not None else int(exit_for(run.record.outcome))
    return Finished(run, code, kept)


def _sealed(folder: RunFolder, log: EventLog, render: Render | None) -> Run:
    """
    Seal a run; return it as it was given to what renders it, so that thousands of events are not read once more.
    """
    given: list[Run] = []

    def rendered(run: Run) -> Mapping[str, bytes]:
        given.append(run)
        return {} if render is None else render(run)

    seal(folder, log=log, render=rendered)
    return given[0] if given else read_run(folder.path)


def _guarded(
    plan: RunPlan, folder: RunFolder, emitter: HeardEmitter, here: Places, *, keep: bool, progress: Progress
) -> tuple[int | None, str | None]:
    """
    Run everything between the first and the last event; return an exit code of its own, and the stack kept.
    """
    errors: tuple[str, ...] = ()
    code: int | None = None
    kept = None
    try:
        kept = _on_stack(plan, folder, emitter, here, keep=keep, progress=progress)
    except KeyboardInterrupt:
        emitter.emit(Interrupted(reason="interrupted by a person or a signal"))
        return Exit.INTERRUPTED, None
    except PlaybookError as err:
        progress.say(f"error: {err}")
        errors, code = (err.message,), err.exit_code
    except Exception as err:  # noqa: BLE001 (what was seen until then is kept all the same)
        progress.say(traceback.format_exc().rstrip())
        errors, code = (f"a defect of the playbook: {type(err).__name__}: {err}",), Exit.OUR_BUG
    emitter.emit(RunEnded(errors=errors))
    return code, kept


def _on_stack(
    plan: RunPlan, folder: RunFolder, emitter: HeardEmitter, here: Places, *, keep: bool, progress: Progress
) -> str | None:
    name = f"run-{folder.run_id[-6:]}"
    stack = create_stack(
        plan.target,
        backend=plan.scenario.stack,
        name=name,
        profile=plan.scenario.profile,
        seed=plan.scenario.seed,
        run_folder=folder.path,
        owned=True,
    )
    keeping = completed = False
    try:
        emitter.protect(stack.secrets.values())
        room = folder_of(name) / "runner"
        room.mkdir(mode=0o700)
        with Writer(emitter, room=room) as writer:
            environment = _kernel_environment(writer, stack, folder)
            batch = Batch(folder, emitter, here, room, environment, CELL_LIMITS_S[plan.scenario.profile])
            with batch.start_kernel() as first:
                _bring_up(stack, plan, emitter, progress)
                run_phases(plan.phases, batch, first)
        keeping, completed = keep, True
    finally:
        take_down(stack, plan, emitter, keeping=keeping, completed=completed)
    return name if keeping else None


def _bring_up(stack: LocalStack, plan: RunPlan, emitter: HeardEmitter, progress: Progress) -> None:
    begun = time.monotonic()
    stack.up(progress=progress.say_step)
    emitter.protect(stack.secrets.values())
    emitter.emit(
        StackUp(
            stack=stack.name,
            backend=plan.scenario.stack,
            capabilities=tuple(sorted(stack.capabilities)),
            parts=parts_of(stack),
            duration_s=round(time.monotonic() - begun, 3),
        )
    )


def _kernel_environment(writer: Writer, stack: LocalStack, folder: RunFolder) -> Mapping[str, str]:
    """
    Say what a kernel inherits; PLAYBOOK_PREFIX lets it refuse to run in another environment.
    """
    inherited = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    return {
        **inherited,
        **writer.environment,
        "PLAYBOOK_RUN": str(folder.path),
        "PLAYBOOK_STACK_NAME": stack.name,
        "PLAYBOOK_PREFIX": sys.prefix,
    }


@contextmanager
def _terminated_as_interrupt() -> Iterator[None]:
    """
    Let SIGTERM end a run as Ctrl-C does: the stack goes down and the evidence is sealed.
    """

    def interrupt(_number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
