"""
Owns the outcome of one phase: its results as they count, and what its notebook, the plan and the matrix add.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from playbook.evidence.chain import Entry
from playbook.evidence.events import CheckDone, PhaseEnded, PhasePlan, PhaseStarted, Waiver
from playbook.evidence.matrix import control_of, matrix_problems, weaken
from playbook.evidence.outcome import Code, Outcome, worst
from playbook.evidence.record import KillRow, PhaseRecord, Problem
from playbook.evidence.result import CheckResult

__all__ = ["Rules", "fold_results", "judge_phase"]

_WORST: tuple[Outcome, ...] = ("fail", "error", "pass", "skip", "waived")


@dataclass(frozen=True, slots=True)
class Rules:
    """
    What the scenario asks of the run, and the kill matrix.

    `keep_worst`: in a batch run the worst attempt counts, by hand the latest.
    """

    keep_worst: bool
    require: frozenset[str] = frozenset()
    waivers: tuple[Waiver, ...] = ()
    rows: tuple[KillRow, ...] = field(default=())


def fold_results(entries: Iterable[Entry], *, keep_worst: bool) -> tuple[CheckResult, ...]:
    """
    Give one result per (id, subject, state), with the number of attempts.

    By hand, asking a check again replaces all its subjects in that state: one that is gone leaves nothing behind.
    """
    tries: dict[tuple[str, str, str], list[CheckResult]] = {}
    latest: dict[tuple[str, str], set[tuple[str, str, str]]] = {}
    asked: tuple[str, str] | None = None
    for entry in entries:
        if not isinstance(entry.event, CheckDone):
            asked = None
            continue
        result = entry.event.result
        key, question = result.key, (result.id, result.state)
        if question != asked or key in latest[question]:
            latest[question] = set()
        asked = question
        latest[question].add(key)
        tries.setdefault(key, []).append(result)
    folded = []
    for key, attempts in tries.items():
        chosen = attempts[-1]
        if keep_worst:
            chosen = min(reversed(attempts), key=lambda result: _WORST.index(result.outcome))
        elif key not in latest[chosen.id, chosen.state]:
            continue
        count = max(len(attempts), chosen.attempts)
        folded.append(chosen if chosen.attempts == count else chosen.model_copy(update={"attempts": count}))
    return tuple(folded)


def judge_phase(
    plan: PhasePlan,
    entries: Sequence[Entry],
    results: Sequence[CheckResult],
    rules: Rules,
    *,
    running: bool = False,
) -> tuple[PhaseRecord, list[Problem]]:
    """
    Compute one phase; `running` judges it as if its notebook ended well now.
    """
    started = [e.event for e in entries if isinstance(e.event, PhaseStarted) and e.event.plan.id == plan.id]
    ended = _ending([e.event for e in entries if isinstance(e.event, PhaseEnded) and e.event.phase == plan.id], rules)
    rows = [row for row in rules.rows if row.phase == plan.id] if plan.mode == "harden" else []
    state = "hardened" if plan.mode == "harden" else "found"
    checks = [
        _counted(result, plan, rows, rules) if result.state == state else result
        for result in results
        if result.phase == plan.id
    ]
    counted = [result for result in checks if result.state == state]
    problems = matrix_problems(rows, counted)
    skipped = ended is not None and ended.outcome == "skip" and not checks
    if not skipped:
        problems += _ending_problems(plan, ended, running=running) + _missing(plan, counted)
    outcome, code, reason = _outcome(plan, ended, counted, problems, skipped=skipped)
    record = PhaseRecord(
        id=plan.id,
        notebook=plan.notebook,
        mode=plan.mode,
        outcome=outcome,
        code=code,
        reason=reason,
        checks=tuple(checks),
        cells=ended.cells if ended else (),
        parameters=started[-1].parameters if started else {},
        edited=any(event.edited for event in started),
        source_sha256=started[-1].source_sha256 if started else None,
        executed_sha256=ended.executed_sha256 if ended else None,
        duration_s=ended.duration_s if ended else 0,
    )
    return record, problems


def _counted(result: CheckResult, plan: PhasePlan, rows: Sequence[KillRow], rules: Rules) -> CheckResult:
    control = control_of(result, rows) if plan.mode == "harden" else result.control or control_of(result, ())
    result = weaken(result.model_copy(update={"control": control}), rows)
    if result.outcome == "skip" and result.id in rules.require:
        reason = f"required by the scenario, but skipped: {result.reason}"
        return result.model_copy(update={"outcome": "error", "code": result.code or "unavailable", "reason": reason})
    if result.outcome == "fail":
        for waiver in rules.waivers:
            if waiver.check == result.id and waiver.subject in (None, result.subject):
                if result.started.date() > waiver.expires:
                    reason = f"the waiver of {waiver.owner} ended on {waiver.expires}: {waiver.reason}"
                    return result.model_copy(update={"reason": reason})
                reason = f"waived by {waiver.owner} until {waiver.expires}: {waiver.reason}"
                return result.model_copy(update={"outcome": "waived", "reason": reason})
    return result


def _ending(endings: Sequence[PhaseEnded], rules: Rules) -> PhaseEnded | None:
    if not endings:
        return None
    if rules.keep_worst:
        return min(reversed(endings), key=lambda event: _WORST.index(event.outcome))
    return endings[-1]


def _ending_problems(plan: PhasePlan, ended: PhaseEnded | None, *, running: bool) -> list[Problem]:
    if ended is None:
        if running:
            return []
        return [Problem(code="interrupted", message="the phase did not come to its end", phase=plan.id)]
    if ended.outcome == "error":
        text = ended.reason or "a cell of the notebook could not do its work"
        return [Problem(code=ended.code or "crashed", message=text, phase=plan.id)]
    if ended.outcome == "skip":
        return [Problem(code="crashed", message="the phase says it was skipped, but has results", phase=plan.id)]
    return []


def _missing(plan: PhasePlan, counted: Sequence[CheckResult]) -> list[Problem]:
    seen = {result.id for result in counted}
    return [
        Problem(code="not_tried", message=f"{check} was planned, but gave no result", phase=plan.id, check=check)
        for check in plan.checks
        if check not in seen
    ]


def _outcome(
    plan: PhasePlan,
    ended: PhaseEnded | None,
    counted: Sequence[CheckResult],
    problems: Sequence[Problem],
    *,
    skipped: bool,
) -> tuple[Outcome, Code | None, str | None]:
    if skipped:
        assert ended is not None
        return "skip", ended.code, ended.reason or "skipped"
    if problems:
        outcome = worst([*(result.outcome for result in counted), "error"])
        return outcome, (problems[0].code if outcome == "error" else None), problems[0].message
    if not counted and not plan.checks:
        return "pass", None, None
    outcome = worst(result.outcome for result in counted)
    if outcome != "error":
        return outcome, None, None
    wrong = next((result for result in counted if result.outcome == "error"), None)
    if wrong is None:
        return "error", "inconclusive", "no check passed: nothing was shown"
    return "error", wrong.code, f"{wrong.id}: {wrong.reason}"
