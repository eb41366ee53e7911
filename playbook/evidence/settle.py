"""
Owns what redaction does to an event before it is chained: strings are cleaned, then the outcome is decided anew.
"""

from __future__ import annotations

from pydantic import JsonValue, ValidationError

from playbook.errors import EvidenceError
from playbook.evidence.canonical import same_json
from playbook.evidence.events import EVENT, Event
from playbook.evidence.redact import Redactor
from playbook.evidence.result import OPERATORS, decide

__all__ = ["settle"]

_OUR_WORDS = frozenset({
    "run-started", "stack-up", "stack-down", "phase-started", "phase-ended", "check", "kill", "smoke", "attachment",
    "note", "run-ended", "interrupted", "pass", "fail", "error", "skip", "waived", "inconclusive", "cannot_fail",
    "void", "crashed", "unavailable", "not_tried", "info", "low", "medium", "high", "critical", "strong", "partial",
    "found", "hardened", "harden", "audit", "playbook", "external", "interactive", "killed", "survived", "reference",
    "ok", "failed", "timed_out", "not_run", "dead_kernel", "runner", "close", "hardening-playbook/run/1", *OPERATORS,
})  # fmt: skip
_WORD_FIELDS = frozenset({
    "type", "outcome", "code", "severity", "strength", "operator", "state", "mode", "runner", "status", "result", "by",
    "schema_id",
})  # fmt: skip


def settle(event: Event, redactor: Redactor) -> Event:
    """
    Return the event as it may be stored.

    A result whose decision would rest on redacted text becomes `error/inconclusive`: two secrets that both turned
    into the mark are not known to be equal. Raises EvidenceError (`redaction-structural`) when a secret stood where
    only an identifier may stand.
    """
    raw: dict[str, JsonValue] = EVENT.dump_python(event, mode="json")
    clean = _clean(raw, redactor)
    assert isinstance(clean, dict)
    before, after = raw.get("result"), clean.get("result")
    if isinstance(before, dict) and isinstance(after, dict):
        _decide_anew(before, after)
    try:
        return EVENT.validate_python(clean)
    except ValidationError as err:
        first = err.errors(include_url=False, include_input=False)[0]
        field = ".".join(str(part) for part in first["loc"])
        raise EvidenceError(
            f"the event cannot be stored without its secret: {field} would no longer be valid",
            hint="Keep secrets out of identifiers: ids, states, file names.",
            code="redaction-structural",
        ) from err


def _clean(value: JsonValue, redactor: Redactor) -> JsonValue:
    """
    Redact, but keep our own vocabulary: a password `hardened` must not rename the state.
    """
    if not isinstance(value, dict):
        return redactor.value(value)
    nested = {name: item for name, item in value.items() if name in ("result", "plan") and isinstance(item, dict)}
    clean = redactor.value({name: item for name, item in value.items() if name not in nested})
    assert isinstance(clean, dict)
    for name, item in value.items():
        if name in _WORD_FIELDS and isinstance(item, str) and item in _OUR_WORDS:
            clean[name] = item
    return clean | {name: _clean(item, redactor) for name, item in nested.items()}


def _decide_anew(before: dict[str, JsonValue], after: dict[str, JsonValue]) -> None:
    if before["outcome"] not in ("pass", "fail"):
        return
    hidden = [name for name in ("expected", "actual") if not same_json(before[name], after[name])]
    if not hidden:
        return
    operator = next(known for known in OPERATORS if known == before["operator"])
    try:
        passed = decide(after["expected"], operator, after["actual"])
    except TypeError:
        decided = False
    else:
        decided = passed is (before["outcome"] == "pass")
    if len(hidden) == 1 and decided:
        return
    after |= {
        "outcome": "error",
        "code": "inconclusive",
        "reason": f"the decision would rest on redacted text in {' and '.join(hidden)}; compare something else",
    }
