"""
Owns computing a run from its events: the same events always give the same run.json.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import JsonValue

from playbook.errors import EvidenceError
from playbook.evidence.chain import Entry, read_chain
from playbook.evidence.events import (
    RUN_SCHEMA,
    CheckDone,
    Interrupted,
    PhasePlan,
    PhaseStarted,
    RunEnded,
    RunStarted,
    StackDown,
    StackUp,
)
from playbook.evidence.matrix import fold_matrix
from playbook.evidence.outcome import Code, Outcome, worst
from playbook.evidence.phase import Rules, fold_results, judge_phase
from playbook.evidence.record import ChainHead, Fingerprint, PhaseRecord, Problem, RunRecord
from playbook.evidence.result import CheckResult

__all__ = ["Run", "build_run", "phase_verdict", "read_run", "record_value"]


@dataclass(frozen=True, slots=True)
class Run:
    """
    A run as read: its record, its events, and whether the last line of the log was cut short.
    """

    folder: Path
    record: RunRecord
    entries: tuple[Entry, ...]
    truncated: bool

    @property
    def results(self) -> tuple[CheckResult, ...]:
        """
        All results, with their control joined.
        """
        return self.record.results


def read_run(folder: Path) -> Run:
    """
    Read a run, sealed or not, from its events. Read-only; it does not verify.

    Raises EvidenceError when there is no log, or the log does not read.
    """
    path = folder / "events.jsonl"
    try:
        data = path.read_bytes()
    except OSError as err:
        raise EvidenceError(
            f"{path} cannot be read: {err.strerror}", hint="Name a run folder, a run id, or `latest`.", code="no-events"
        ) from err
    chain = read_chain(data, source=str(path))
    record = build_run(chain.entries)
    return Run(folder=folder, record=record, entries=chain.entries, truncated=bool(chain.tail))


def record_value(record: RunRecord) -> dict[str, JsonValue]:
    """
    Give a record as the JSON object of run.json.
    """
    value: dict[str, JsonValue] = record.model_dump(mode="json")
    return value


def build_run(entries: Sequence[Entry]) -> RunRecord:
    """
    Compute a run (CONTRACTS §1, §3).

    Without an end it is `error/interrupted`, and so it is when interrupted, whatever had failed before. Raises
    EvidenceError (`run-not-started`, `phase-unknown`).
    """
    start = _start(entries)
    rules, results = _rules(entries, start)
    plans = _plans(entries, start)
    phases, problems = [], []
    for plan in plans.values():
        phase, found = judge_phase(plan, entries, results, rules)
        phases.append(phase)
        problems += found
    last = entries[-1]
    down = [entry.event for entry in entries if isinstance(entry.event, StackDown)]
    ups = [entry.event for entry in entries if isinstance(entry.event, StackUp)]
    problems += _run_problems(entries, phases, start, down)
    outcome, code = _outcome(last, start, phases, problems)
    parts = {name: part for event in ups for name, part in event.parts.items()}
    return RunRecord(
        schema_id=RUN_SCHEMA,
        run_id=start.run_id,
        scenario=start.scenario,
        runner=start.runner,
        profile=start.profile,
        outcome=outcome,
        code=code,
        started=start.started,
        ended=last.time if isinstance(last.event, RunEnded | Interrupted) else None,
        actor=start.actor,
        seed=start.seed,
        parameters=start.parameters,
        target=start.target,
        target_sha256=start.target_sha256,
        stack=ups[-1].stack if ups else None,
        backend=ups[-1].backend if ups else None,
        fingerprint=Fingerprint(**start.checkout.model_dump(), parts=parts),
        require=start.require,
        waivers=start.waivers,
        phases=tuple(phases),
        kill_matrix=rules.rows,
        not_covered=_not_covered(start.requirements, phases),
        problems=tuple(problems),
        leftovers=tuple(name for event in down for name in event.leftovers),
        previous=start.previous,
        chain=ChainHead(events=len(entries), head=last.hash),
    )


def phase_verdict(entries: Sequence[Entry], phase: str) -> PhaseRecord:
    """
    Judge one phase of a run that goes on, as if its notebook ended well now: what `session.verdict()` raises on.
    """
    start = _start(entries)
    rules, results = _rules(entries, start)
    plan = _plans(entries, start).get(phase)
    if plan is None:
        raise _unknown(phase)
    rest = [entry for entry in entries if getattr(entry.event, "type", "") != "phase-ended"]
    return judge_phase(plan, rest, results, rules, running=True)[0]


def _start(entries: Sequence[Entry]) -> RunStarted:
    if not entries:
        raise EvidenceError("the log is empty", hint="Take another run.", code="run-not-started")
    if not isinstance(entries[0].event, RunStarted):
        raise EvidenceError(
            "the log does not begin with the run's start",
            hint="Nothing was recorded; remove the folder, or take another run.",
            code="run-not-started",
        )
    return entries[0].event


def _rules(entries: Sequence[Entry], start: RunStarted) -> tuple[Rules, tuple[CheckResult, ...]]:
    batch = start.runner == "playbook"
    rows = fold_matrix(entries, keep_worst=batch)
    rules = Rules(keep_worst=batch, require=frozenset(start.require), waivers=start.waivers, rows=rows)
    return rules, fold_results(entries, keep_worst=batch)


def _plans(entries: Sequence[Entry], start: RunStarted) -> dict[str, PhasePlan]:
    plans = {plan.id: plan for plan in start.phases}
    for entry in entries:
        if isinstance(entry.event, PhaseStarted):
            plans[entry.event.plan.id] = entry.event.plan
    for entry in entries:
        event = entry.event
        phase = event.result.phase if isinstance(event, CheckDone) else getattr(event, "phase", None)
        if phase is not None and phase not in plans:
            raise _unknown(phase)
    return dict(sorted(plans.items()))


def _run_problems(
    entries: Sequence[Entry], phases: Sequence[PhaseRecord], start: RunStarted, down: Sequence[StackDown]
) -> list[Problem]:
    problems = []
    counted = {result.id for phase in phases for result in phase.counted}
    planned = {problem for phase in start.phases for problem in phase.checks}
    for check in start.require:
        if check not in counted and check not in planned:
            text = f"{check} is required by the scenario, but no phase of this run holds it"
            problems.append(Problem(code="not_tried", message=text, check=check))
        elif check not in counted and any(phase.outcome == "skip" for phase in phases):
            problems.append(
                Problem(code="not_tried", message=f"{check} is required, its phase was skipped", check=check)
            )
    for event in down:
        if event.leftovers and not event.kept:
            text = f"the stack left behind: {', '.join(event.leftovers)}"
            problems.append(Problem(code="crashed", message=text))
    last = entries[-1].event
    if isinstance(last, RunEnded):
        problems += [Problem(code="crashed", message=text) for text in last.errors]
    elif isinstance(last, Interrupted):
        problems.append(Problem(code="interrupted", message=last.reason))
    else:
        problems.append(Problem(code="interrupted", message="the run is not closed"))
    return problems


def _outcome(
    last: Entry, start: RunStarted, phases: Sequence[PhaseRecord], problems: Sequence[Problem]
) -> tuple[Outcome, Code | None]:
    if not isinstance(last.event, RunEnded):
        return "error", "interrupted"
    outcomes: list[Outcome] = [phase.outcome for phase in phases]
    if problems:
        outcomes.append("error")
    counted = [result.outcome for phase in phases for result in phase.counted]
    owned = counted or any(plan.checks for plan in start.phases)
    outcome = worst(outcomes)
    if outcome == "pass" and owned and "pass" not in counted:
        return "error", "inconclusive"
    if outcome != "error":
        return outcome, None
    codes = [phase.code for phase in phases if phase.outcome == "error"] + [problem.code for problem in problems]
    return "error", next((code for code in codes if code), "inconclusive")


def _not_covered(requirements: Mapping[str, Sequence[str]], phases: Sequence[PhaseRecord]) -> tuple[str, ...]:
    seen = {result.id for phase in phases for result in phase.counted if result.outcome != "skip"}
    return tuple(sorted(name for name, checks in requirements.items() if not seen.intersection(checks)))


def _unknown(phase: str) -> EvidenceError:
    return EvidenceError(
        f"phase {phase} is spoken of, but never started",
        hint="A session opens its phase before its checks report; begin another run.",
        code="phase-unknown",
    )
