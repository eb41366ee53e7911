"""
Owns reading a run's contents for `verify`: chain, decisions, matrix, run.json, and what the events say of files.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from playbook.errors import EvidenceError
from playbook.evidence.canonical import read_json, same_json
from playbook.evidence.chain import Entry, read_chain
from playbook.evidence.events import (
    RUN_SCHEMA,
    AttachmentStored,
    CheckDone,
    Interrupted,
    KillTried,
    PhaseEnded,
    PhaseStarted,
    RunEnded,
    RunStarted,
)
from playbook.evidence.record import RunRecord
from playbook.evidence.result import CheckResult, NamesDigest
from playbook.evidence.run import build_run, record_value
from playbook.evidence.versions import as_old_as, judge_version

__all__ = ["Finding", "audit_events", "audit_record"]

LARGEST_LOG = 512 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Finding:
    """
    One reason why a run does not verify. `code` is stable; the message is for people.
    """

    file: str
    code: str
    message: str

    @classmethod
    def of(cls, file: str, err: EvidenceError) -> Finding:
        """
        Take over a refusal; the file's name stands in front of every finding, so the message need not repeat it.
        """
        before, named, rest = err.message.partition(file)
        repeats = named and (not before or before.endswith("/")) and " " not in before
        return cls(file, err.code, rest.lstrip(" :") if repeats else err.message)


def audit_events(
    folder: Path, digests: Mapping[str, str], findings: list[Finding]
) -> tuple[tuple[Entry, ...], RunRecord | None]:
    """
    Check events.jsonl; `digests` are those of the files as they lie there. Read-only.
    """
    size = (folder / "events.jsonl").stat().st_size
    if size > LARGEST_LOG:
        findings.append(Finding("events.jsonl", "events-size", f"has {size} bytes; none of ours is that large"))
        return (), None
    try:
        chain = read_chain((folder / "events.jsonl").read_bytes())
        if chain.tail:
            text = f"ends with {len(chain.tail)} bytes that are no whole event"
            findings.append(Finding("events.jsonl", "chain-truncated", text))
        record = build_run(chain.entries)
    except EvidenceError as err:
        findings.append(Finding.of("events.jsonl", err))
        return (), None
    for code, message in (*_order(chain.entries), *_kills(chain.entries), *_files(chain.entries, digests)):
        findings.append(Finding("events.jsonl", code, message))
    return chain.entries, record


def audit_record(folder: Path, expected: RunRecord, findings: list[Finding]) -> None:
    """
    Compare run.json with what follows from the events. Read-only.
    """
    try:
        value = read_json((folder / "run.json").read_bytes(), source="run.json")
    except EvidenceError as err:
        findings.append(Finding.of("run.json", err))
        return
    stated = value.get("schema") if isinstance(value, dict) else None
    judged = judge_version(stated, RUN_SCHEMA)
    if judged:
        findings.append(Finding("run.json", f"run-{judged[0]}", judged[1]))
        return
    computed = as_old_as(value, record_value(expected))
    if same_json(value, computed):
        return
    try:
        RunRecord.model_validate(value)
    except ValidationError as err:
        first = err.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        findings.append(Finding("run.json", "run-schema", f"does not read: {where}: {first['msg']}"))
        return
    assert isinstance(value, dict)
    assert isinstance(computed, dict)
    changed = sorted(key for key in computed if not same_json(value.get(key), computed[key]))
    text = f"does not follow from the events: {', '.join(changed)} differ"
    findings.append(Finding("run.json", "run-differs", text))


def _order(entries: Sequence[Entry]) -> Iterator[tuple[str, str]]:
    if not isinstance(entries[-1].event, RunEnded | Interrupted):
        yield "chain-no-end", "has no last event: the run was not ended, or its end was cut off"
    for entry in entries[1:]:
        if isinstance(entry.event, RunStarted):
            yield "chain-second-start", f"line {entry.seq + 1} starts the run a second time"
    for entry in entries[:-1]:
        if isinstance(entry.event, RunEnded | Interrupted):
            yield "chain-after-end", f"goes on after the run's end in line {entry.seq + 1}"
    running: set[str] = set()
    for entry in entries:
        event = entry.event
        if isinstance(event, PhaseStarted):
            running.add(event.plan.id)
        elif isinstance(event, CheckDone) and event.result.phase not in running:
            yield "phase-not-running", f"line {entry.seq + 1}: {event.result.id} reports before its phase started"


def _kills(entries: Sequence[Entry]) -> Iterator[tuple[str, str]]:
    """
    Compare the kill matrix with the results under sabotage, where they were recorded.
    """
    seen = {event.result.key: event.result for entry in entries if isinstance(event := entry.event, CheckDone)}
    for entry in entries:
        event = entry.event
        if not isinstance(event, KillTried):
            continue
        result = seen.get((event.check, event.subject or "", f"sabotaged:{event.sabotage}"))
        if result is None:
            continue
        red = result.outcome == "fail"
        if (event.result == "killed" and not red) or (event.result == "survived" and red):
            text = f"line {entry.seq + 1}: {event.check} is said to be {event.result}, its result says {result.outcome}"
            yield "kill-contradicts", text


def _files(entries: Sequence[Entry], digests: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    names = {event.plan.id: event.plan.notebook for entry in entries if isinstance(event := entry.event, PhaseStarted)}
    expected: dict[str, str] = {}
    for entry in entries:
        match entry.event:
            case AttachmentStored(path=path, sha256=sha256):
                expected[path] = sha256
            case PhaseStarted(source_sha256=str() as sha256, plan=plan):
                expected[f"notebooks/{plan.notebook}.source.ipynb"] = sha256
            case PhaseEnded(executed_sha256=str() as sha256, phase=phase) if phase in names:
                expected[f"notebooks/{names[phase]}.ipynb"] = sha256
            case CheckDone(result=result):
                for path in sorted(_attached(result) - digests.keys()):
                    yield "attachment-missing", f"{result.id} rests on {path}, which is not there"
    for path, sha256 in sorted(expected.items()):
        if path not in digests:
            yield "file-of-event-missing", f"the events tell of {path}, which is not there"
        elif digests[path] != sha256:
            yield "file-of-event-changed", f"the events tell of another {path}: sha256 {sha256[:12]}…"


def _attached(result: CheckResult) -> set[str]:
    named = {one.attachment for one in result.observations if one.attachment}
    return named | {one.attachment for one in (result.population, result.tested) if isinstance(one, NamesDigest)}
