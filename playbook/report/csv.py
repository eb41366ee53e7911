"""
Owns checks.csv: every result of a run, one a line, that a spreadsheet shows and never executes.
"""

from __future__ import annotations

import csv
import io

from playbook.evidence.record import PhaseRecord, RunRecord
from playbook.evidence.result import CheckResult
from playbook.report.wording import counted_names, plain, spell_value

__all__ = ["COLUMNS", "render_csv"]

COLUMNS = (
    "phase", "check", "title", "subject", "state", "counts", "outcome", "code", "reason", "remedy", "severity",
    "strength", "strength_reason", "expected", "operator", "actual", "population", "tested", "control", "killed_by",
    "started", "duration_s", "attempts",
)  # fmt: skip
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # noqa: RUF001 (full-width forms open formulas too)


def render_csv(record: RunRecord) -> bytes:
    """
    Write all results of all states, in UTF-8 with CRLF (RFC 4180). Read-only.

    A text that a spreadsheet would take for a formula begins with an apostrophe (OWASP, CSV injection).
    """
    out = io.StringIO(newline="")
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for phase in record.phases:
        for result in phase.checks:
            writer.writerow([_harmless(text) for text in _fields(phase, result)])
    return out.getvalue().encode()


def _harmless(text: str) -> str:
    clean = plain(text)
    return f"'{clean}" if clean.startswith(_FORMULA) or clean.lstrip().startswith(_FORMULA) else clean


def _fields(phase: PhaseRecord, result: CheckResult) -> list[str]:
    control = result.control
    counts = "hardened" if phase.mode == "harden" else "found"
    return [
        result.phase,
        result.id,
        result.title,
        result.subject or "",
        result.state,
        "yes" if result.state == counts else "no",
        result.outcome,
        result.code or "",
        result.reason or "",
        result.remedy or "",
        result.severity,
        result.strength,
        result.strength_reason or "",
        spell_value(result.expected),
        result.operator,
        spell_value(result.actual),
        str(counted_names(result.population)),
        str(counted_names(result.tested)),
        control.status if control else "",
        " ".join(control.killed_by) if control else "",
        result.started.isoformat(),
        f"{result.duration_s:.4f}",
        str(result.attempts),
    ]
