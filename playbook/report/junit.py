"""
Owns junit.xml: what counts of a run, one test suite per phase, for the tools that already read test results.
"""

from __future__ import annotations

import re

from junitparser import Error, Failure, JUnitXml, Skipped, TestCase, TestSuite
from pydantic import JsonValue

from playbook.evidence.record import PhaseRecord, Problem, RunRecord
from playbook.evidence.result import CheckResult
from playbook.report.kills import count_pairs, sabotage_rows
from playbook.report.wording import plain, spell_value

__all__ = ["render_junit"]

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""XML 1.0 §2.2: what may not stand in a document, not even escaped."""


def render_junit(record: RunRecord) -> bytes:
    """
    Write the results that count (CONTRACTS §1): `hardened` in mode harden, `found` in audit. Read-only.

    A waived or skipped check is skipped with its reason; a problem that no result carries is a case of its own.
    """
    document = JUnitXml(name=_clean(f"hardening-playbook {record.scenario}"))
    for phase in record.phases:
        problems = [problem for problem in record.problems if problem.phase == phase.id]
        document.add_testsuite(_suite(record, phase, problems))
    outside = [problem for problem in record.problems if problem.phase is None]
    if outside:
        suite = TestSuite(name="run")
        for problem in outside:
            suite.add_testcase(_problem_case("run", problem))
        document.add_testsuite(suite)
    document.update_statistics()  # type: ignore[no-untyped-call]
    content: bytes = document.tostring()  # type: ignore[no-untyped-call]
    return b'<?xml version="1.0" encoding="utf-8"?>\n' + content + b"\n"


def _suite(record: RunRecord, phase: PhaseRecord, problems: list[Problem]) -> TestSuite:
    suite = TestSuite(name=f"phase {phase.id}")
    for name, value in _properties(record, phase):
        suite.add_property(name, _clean(value))
    for result in phase.counted:
        suite.add_testcase(_case(phase, result))
    for problem in problems:
        suite.add_testcase(_problem_case(f"phase-{phase.id}", problem))
    if phase.outcome == "skip":
        case = TestCase(name="phase", classname=f"phase-{phase.id}")
        case.result = [Skipped(message=_clean(phase.reason or "skipped"))]
        suite.add_testcase(case)
    return suite


def _properties(record: RunRecord, phase: PhaseRecord) -> list[tuple[str, str]]:
    tried, every = count_pairs(sabotage_rows(row for row in record.kill_matrix if row.phase == phase.id))
    return [
        ("run_id", record.run_id),
        ("scenario", record.scenario),
        ("target", record.target),
        ("stack", record.backend or ""),
        ("profile", record.profile or ""),
        ("commit", record.fingerprint.commit or ""),
        ("dirty", {True: "yes", False: "no", None: "unknown"}[record.fingerprint.dirty]),
        ("runner", record.runner),
        ("started", record.started.isoformat()),
        ("phase.mode", phase.mode),
        ("phase.notebook", phase.notebook),
        ("phase.outcome", phase.outcome),
        ("sabotages.tried", str(tried)),
        ("sabotages.all", str(every)),
    ]


def _case(phase: PhaseRecord, result: CheckResult) -> TestCase:
    name = f"{result.id} [{result.subject}]" if result.subject else result.id
    case = TestCase(name=_clean(name), classname=f"phase-{phase.id}.{result.family}", time=result.duration_s)
    if result.outcome == "fail":
        case.result = [_with_text(Failure(_message(result), result.severity), result)]
    elif result.outcome == "error":
        case.result = [_with_text(Error(_message(result), result.code), result)]
    elif result.outcome in ("skip", "waived"):
        case.result = [Skipped(message=_clean(f"{result.outcome}: {result.reason}"))]
    return case


def _message(result: CheckResult) -> str:
    if result.reason:
        return _clean(result.reason)
    return _clean(f"expected {result.operator} {_spell(result.expected)}, saw {_spell(result.actual)}")


def _with_text(outcome: Failure | Error, result: CheckResult) -> Failure | Error:
    lines = [
        result.title,
        f"expected {result.operator} {_spell(result.expected)}",
        f"actual {_spell(result.actual)}",
    ]
    lines += [f"remedy: {result.remedy}"] if result.remedy else []
    lines += [
        f"{seen.role or '-'}: {seen.query or seen.request or '-'} -> {_spell(seen.value)} {seen.unit or ''}".rstrip()
        for seen in result.observations
    ]
    outcome.text = _clean("\n".join(lines))
    return outcome


def _problem_case(classname: str, problem: Problem) -> TestCase:
    names = [problem.check or "", f"[{problem.subject}]" if problem.subject else "", problem.sabotage or ""]
    case = TestCase(name=_clean(" ".join(name for name in names if name) or problem.code), classname=classname)
    case.result = [Error(_clean(problem.message), problem.code)]
    return case


def _spell(value: JsonValue) -> str:
    return spell_value(value)


def _clean(text: str) -> str:
    return _NOT_XML.sub("�", plain(text))
