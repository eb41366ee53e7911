"""
Owns one line of events.jsonl: how an event is chained to the one before, and the strict reading of it.

A chain shows where a file was changed by someone who did not chain it anew; only a signature shows more.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from pydantic import JsonValue, TypeAdapter, ValidationError

from playbook.errors import EvidenceError
from playbook.evidence.canonical import canonical, digest, plain_writer, read_json, sha256_hex
from playbook.evidence.events import EVENT, RUN_SCHEMA, Event
from playbook.evidence.versions import judge_version

__all__ = [
    "FIRST",
    "Chain",
    "Entry",
    "chain_event",
    "entry_value",
    "read_chain",
    "read_entry",
    "restore_entry",
    "stored_entry",
]

FIRST = "0" * 64
_TIME: TypeAdapter[datetime] = TypeAdapter(datetime)
_CHAINING = ("seq", "prev", "hash", "time")


@dataclass(frozen=True, slots=True)
class Entry:
    """
    An event as stored.
    """

    seq: int
    prev: str
    hash: str
    time: datetime
    event: Event


@dataclass(frozen=True, slots=True)
class Chain:
    """
    A log as read. `tail` is what stands behind the last newline: nothing, or a line that was cut short.
    """

    entries: tuple[Entry, ...]
    tail: bytes = b""

    @property
    def head(self) -> str:
        """
        Hash of the last event.
        """
        return self.entries[-1].hash if self.entries else FIRST


def chain_event(event: Event, *, seq: int, prev: str, time: datetime) -> bytes:
    """
    Write an event as the line that follows `prev`, newline included. Its RFC 8785 form is what is stored.
    """
    body: dict[str, JsonValue] = EVENT.dump_python(event, mode="json")
    body |= {"seq": seq, "prev": prev, "time": _TIME.dump_python(time, mode="json")}
    return canonical(body | {"hash": digest(body)}) + b"\n"


def read_entry(line: bytes, *, seq: int, prev: str, source: str = "events.jsonl") -> Entry:
    """
    Read one line (without newline) that must be number `seq` and follow `prev`. Read-only.

    Raises EvidenceError: the codes of `read_json`, `event-form` (not an object, or not in RFC 8785 form),
    `chain-hash`, `chain-seq`, `chain-prev`, `event-future`, `event-version`, `event-schema`, `event-coerced`,
    `outcome-contradicts`.
    """
    where = f"{source} line {seq + 1}"
    if line.endswith(b"\r"):
        raise _refused(f"{where} ends with CR LF: line ends were converted", "event-form")
    value = read_json(line, source=where)
    if not isinstance(value, dict) or not all(name in value for name in _CHAINING):
        raise _refused(f"{where} is no chained event", "event-form")
    write = plain_writer(line)
    if write(value) != line:
        raise _refused(f"{where} is not in the form that was written (RFC 8785)", "event-form")
    stated = value["hash"]
    actual = sha256_hex(write({key: item for key, item in value.items() if key != "hash"}))
    if stated != actual:
        raise _refused(f"{where} was changed: its hash is {actual[:12]}…, it says {str(stated)[:12]}…", "chain-hash")
    if value["seq"] != seq:
        raise _refused(f"{where} has number {value['seq']}: a line is missing, doubled or moved", "chain-seq")
    if value["prev"] != prev:
        raise _refused(f"{where} does not follow the line before it", "chain-prev")
    event, time = _read_event(value, where)
    entry = Entry(seq=seq, prev=prev, hash=actual, time=time, event=event)
    again = entry_value(entry)
    if (write(again) != line and canonical(again) != line) or time.tzinfo is None:
        raise _refused(f"{where} holds a value in a form that we never write", "event-coerced")
    return entry


def _read_event(value: dict[str, JsonValue], where: str) -> tuple[Event, datetime]:
    if value.get("type") == "run-started":
        judged = judge_version(value.get("schema_id", RUN_SCHEMA), RUN_SCHEMA)
        if judged:
            raise _refused(f"{where} {judged[1]}", f"event-{judged[0]}")
    try:
        event = EVENT.validate_python({key: item for key, item in value.items() if key not in _CHAINING})
        time = _TIME.validate_python(value["time"])
    except ValidationError as err:
        first = err.errors(include_url=False)[0]
        field = ".".join(str(part) for part in first["loc"])
        code = "outcome-contradicts" if "contradicts its observation" in first["msg"] else "event-schema"
        raise _refused(f"{where}: {field}: {first['msg']}", code) from err
    return event, time


def stored_entry(line: bytes, *, source: str = "events.jsonl") -> Entry:
    """
    Read one line (without newline) of a log that is still being written, without asking for its digest. Read-only.

    Raises EvidenceError: the codes of `read_json`, `event-form`, `event-version`, `event-schema`.
    """
    value = read_json(line, source=source)
    if not isinstance(value, dict) or not all(name in value for name in _CHAINING):
        raise _refused(f"{source} holds a line that is no chained event", "event-form")
    event, time = _read_event(value, source)
    seq, prev, stated = value["seq"], value["prev"], value["hash"]
    assert isinstance(seq, int)
    return Entry(seq=seq, prev=str(prev), hash=str(stated), time=time, event=event)


def read_chain(data: bytes, *, source: str = "events.jsonl", after: Chain | None = None) -> Chain:
    """
    Read a log, or what came behind `after`. Read-only.

    Raises EvidenceError at the first line that does not read or does not follow.
    """
    entries = list(after.entries) if after else []
    prev = entries[-1].hash if entries else FIRST
    *lines, tail = data.split(b"\n")
    for line in lines:
        entry = read_entry(line, seq=len(entries), prev=prev, source=source)
        entries.append(entry)
        prev = entry.hash
    return Chain(entries=tuple(entries), tail=tail)


def entry_value(entry: Entry) -> dict[str, JsonValue]:
    """
    Give an entry as the JSON object that its line holds.
    """
    value: dict[str, JsonValue] = EVENT.dump_python(entry.event, mode="json", exclude_unset=True)
    time: JsonValue = _TIME.dump_python(entry.time, mode="json")
    return value | {"seq": entry.seq, "prev": entry.prev, "hash": entry.hash, "time": time}


def restore_entry(value: JsonValue) -> Entry:
    """
    Read an entry from its JSON object, whatever came before it.

    Raises EvidenceError like `read_entry`.
    """
    if not isinstance(value, dict) or not isinstance(value.get("seq"), int) or not isinstance(value.get("prev"), str):
        raise _refused("the writer's answer holds no event", "event-form")
    seq, prev = value["seq"], value["prev"]
    assert isinstance(seq, int)
    assert isinstance(prev, str)
    return read_entry(canonical(value), seq=seq, prev=prev)


def _refused(message: str, code: str) -> EvidenceError:
    return EvidenceError(message, hint="The log was changed after it was written; use a copy that was not.", code=code)
