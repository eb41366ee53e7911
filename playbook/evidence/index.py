"""
Owns INDEX.jsonl beside the run folders: one chained line for each sealed run, so that a missing run is noticed.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pydantic import JsonValue, ValidationError

from playbook.errors import EvidenceError
from playbook.evidence.canonical import canonical, read_json, sha256_hex
from playbook.evidence.events import RunId, Sha256
from playbook.evidence.lines import LineFile, is_torn
from playbook.evidence.result import Frozen

__all__ = ["INDEX_NAME", "Index", "IndexLine", "append_index", "read_index"]

INDEX_NAME = "INDEX.jsonl"
FIRST = "0" * 64


class IndexLine(Frozen):
    """
    One sealed run: the digest of its manifest, and the digest of the line before (64 zeros for the first).
    """

    run_id: RunId
    manifest: Sha256
    prev: Sha256


@dataclass(frozen=True, slots=True)
class Index:
    """
    An index as read. `head` is the digest of its last line: what one publishes elsewhere to anchor it.
    """

    lines: tuple[IndexLine, ...] = ()
    head: str = FIRST
    tail: bytes = b""

    def upto(self, head: str) -> Index | None:
        """
        Give the index as it was when `head` was its head; None when it never was.
        """
        heads = [line.prev for line in self.lines] + [self.head]
        return Index(self.lines[: heads.index(head)], head) if head in heads else None

    def line_of(self, run_id: str) -> IndexLine | None:
        """
        Find a run's line.
        """
        return next((line for line in self.lines if line.run_id == run_id), None)


def read_index(home: Path) -> Index:
    """
    Read the index of an evidence home; an absent one is empty. Read-only.

    Raises EvidenceError: the codes of `read_json`, `index-link`, `index-form`, `index-schema`, `index-chain`,
    `index-duplicate`.
    """
    path = home / INDEX_NAME
    if path.is_symlink():
        raise _refused(f"{path} is a link", "index-link")
    try:
        return _parse(path.read_bytes(), str(path))
    except FileNotFoundError:
        return Index()


def append_index(home: Path, *, run_id: str, manifest: str) -> IndexLine:
    """
    Add a sealed run to the index; doing it again changes nothing.

    Raises EvidenceError: those of `read_index`, `index-conflict` (the run is there with another manifest),
    `disk-full`, `log-unwritable`.
    """
    path = home / INDEX_NAME
    file = LineFile(path)
    try:
        with file.locked():
            data = file.read()
            index = _parse(data, str(path))
            if index.tail:
                if not is_torn(index.tail):
                    raise _refused(f"{path} ends with bytes that are no unfinished line", "index-form")
                file.cut(len(data) - len(index.tail))
            known = index.line_of(run_id)
            if known is None:
                known = IndexLine(run_id=run_id, manifest=manifest, prev=index.head)
                file.append(_line(known) + b"\n")
            elif known.manifest != manifest:
                raise _refused(f"{path} knows {run_id} with another manifest", "index-conflict")
            return known
    finally:
        file.close()


def _parse(data: bytes, source: str) -> Index:
    lines: list[IndexLine] = []
    head = FIRST
    *whole, tail = data.split(b"\n")
    for number, raw in enumerate(whole, 1):
        where = f"{source} line {number}"
        value = read_json(raw, source=where)
        try:
            line = IndexLine.model_validate(value)
        except ValidationError as err:
            raise _refused(f"{where} is no line of an index: {err.errors()[0]['msg']}", "index-schema") from err
        if _line(line) != raw:
            raise _refused(f"{where} is not in the form that was written (RFC 8785)", "index-form")
        if line.prev != head:
            raise _refused(f"{where} does not follow: a line is missing, moved or changed", "index-chain")
        if any(known.run_id == line.run_id for known in lines):
            raise _refused(f"{where} names {line.run_id} a second time", "index-duplicate")
        lines.append(line)
        head = sha256_hex(raw)
    return Index(lines=tuple(lines), head=head, tail=tail)


def _line(line: IndexLine) -> bytes:
    value: JsonValue = line.model_dump(mode="json")
    return canonical(value)


def _refused(message: str, code: str) -> EvidenceError:
    return EvidenceError(
        message, hint="The index was changed; take a copy that was not, or publish its head elsewhere.", code=code
    )
