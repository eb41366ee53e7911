"""
Owns running checks against a scene: findings become results, and what a probe left out becomes an error.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from playbook.errors import Unavailable
from playbook.evidence.result import CheckResult, Names, NamesDigest, decide
from playbook.proof.check import Check, Finding
from playbook.proof.scene import Scene

__all__ = ["NAMES_LIMIT", "run_check", "run_checks"]

NAMES_LIMIT = 1000
Clock = Callable[[], datetime]
Attach = Callable[[str, bytes], str]


class _Timing(NamedTuple):
    started: datetime
    duration_s: float


def _now() -> datetime:
    return datetime.now(UTC)


def run_checks(
    checks: Iterable[Check],
    scene: Scene,
    *,
    clock: Clock = _now,
    attach: Attach | None = None,
    seen: Callable[[CheckResult], None] | None = None,
) -> list[CheckResult]:
    """
    Run checks one after another; `seen` hears each result at once.
    """
    results = []
    for one in checks:
        for result in run_check(one, scene, clock=clock, attach=attach):
            if seen is not None:
                seen(result)
            results.append(result)
    return results


def run_check(one: Check, scene: Scene, *, clock: Clock = _now, attach: Attach | None = None) -> list[CheckResult]:
    """
    Run one check; return at least one result.

    A missing capability is a skip, an exception of the probe an error of code `crashed`, and a subject of the
    population that the probe did not report an error too: nothing is passed over in silence.
    """
    started = clock()
    begun = time.monotonic()
    findings: list[Finding] = []
    population: Sequence[str] | None = None
    try:
        population = sorted(one.population(scene)) if one.population else None
        findings.extend(one.probe(scene))
    except Unavailable as err:
        findings.append(Finding.undecided(err.message, code="unavailable"))
    except Exception as err:  # noqa: BLE001 (whatever it is becomes a result that can be read)
        findings.append(Finding.undecided(f"{type(err).__name__}: {err}", code="crashed"))
    else:
        findings.extend(_left_out(findings, population))
    duration = time.monotonic() - begun
    timing = _Timing(started, duration / len(findings))
    return [_result(one, scene, finding, population, timing, attach=attach) for finding in findings]


def _left_out(findings: Sequence[Finding], population: Sequence[str] | None) -> list[Finding]:
    """
    Name what the population has and the probe did not report, and what it reported beyond it.
    """
    if population is None:
        return [] if findings else [Finding.undecided("the probe reported nothing", code="crashed")]
    if not population:
        return [Finding.undecided("the population is empty: there is nothing to test")] if not findings else []
    subjects = [finding.subject for finding in findings]
    if None in subjects:
        return []
    extra = [
        Finding.undecided("reported by the probe, but not in the population", code="crashed", subject=name)
        for name in subjects
        if name not in population
    ]
    return extra + [
        Finding.undecided("in the population, but not reported by the probe", code="crashed", subject=name)
        for name in population
        if name not in subjects
    ]


def _result(
    one: Check,
    scene: Scene,
    finding: Finding,
    population: Sequence[str] | None,
    timing: _Timing,
    *,
    attach: Attach | None,
) -> CheckResult:
    everything, tested = _names(one, finding, population)
    code, reason = finding.code, finding.reason
    outcome = None
    if code is None:
        try:
            passed = decide(finding.expected, finding.operator, finding.actual)
        except TypeError as err:
            code, reason = "crashed", f"the observation has the wrong shape: {err}"
        else:
            outcome = "pass" if passed else "fail"
            missing = sorted(set(everything) - set(tested))
            if passed and missing:
                outcome, code = None, "inconclusive"
                reason = f"{len(missing)} of {len(everything)} were not tried: {', '.join(missing[:5])}"
    if outcome is None:
        outcome = "skip" if code == "unavailable" else "error"
    return CheckResult.model_validate(
        {
            "id": one.id,
            "title": one.title,
            "phase": one.phase,
            "state": scene.state,
            "subject": finding.subject,
            "expected": finding.expected,
            "operator": finding.operator,
            "actual": finding.actual,
            "outcome": outcome,
            "code": code,
            "reason": reason,
            "remedy": one.remedy if outcome in ("fail", "error") else None,
            "severity": one.severity,
            "strength": finding.strength,
            "strength_reason": finding.strength_reason,
            "population": _digest(everything, f"{one.id}-population", attach),
            "tested": _digest(tested, f"{one.id}-tested", attach),
            "started": timing.started,
            "duration_s": round(timing.duration_s, 4),
            "observations": finding.observations,
        }
    )


def _names(one: Check, finding: Finding, population: Sequence[str] | None) -> tuple[Sequence[str], Sequence[str]]:
    if finding.subject is not None:
        return (finding.subject,), (finding.subject,)
    everything = population if population is not None else (one.id,)
    if finding.tested is not None:
        return everything, sorted(finding.tested)
    return everything, everything if population is None and finding.code is None else ()


def _digest(names: Sequence[str], label: str, attach: Attach | None) -> Names:
    if len(names) <= NAMES_LIMIT or attach is None:
        return tuple(names)
    content = json.dumps(list(names), ensure_ascii=False, indent=0).encode()
    return NamesDigest(
        count=len(names), sha256=hashlib.sha256(content).hexdigest(), attachment=attach(f"{label}.json", content)
    )
