"""
Owns the verdict of a phase as a person reads it; the rules are the evidence's own (CONTRACTS §1).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from playbook.evidence.chain import Entry, stored_entry
from playbook.evidence.outcome import Outcome
from playbook.evidence.record import PhaseRecord
from playbook.evidence.run import phase_verdict

__all__ = ["RunningLog", "Verdict"]

_OF_SOME_PHASE = (b'"type":"check"', b'"type":"kill"')
WORDS = {"pass": "✔ PASS", "fail": "✖ FAIL", "error": "! UNDECIDED", "skip": "- SKIPPED", "waived": "~ WAIVED"}


@dataclass(frozen=True, slots=True)
class Verdict:
    """
    How a phase ended, computed from the stored events.
    """

    record: PhaseRecord

    @property
    def outcome(self) -> Outcome:
        return self.record.outcome

    @property
    def lines(self) -> list[str]:
        """
        The verdict, then each result that is not green.
        """
        counts = Counter(r.outcome for r in self.record.counted)
        told = ", ".join(f"{n} {word}" for word, n in counts.items()) or "no result"
        first = f"{WORDS[self.outcome]} · phase {self.record.id} ({self.record.mode}): {told}"
        if self.record.reason and self.outcome != "pass":
            first += f" · {self.record.reason}"
        return [first] + [
            f"  {r.outcome}: {r.id}{f' [{r.subject}]' if r.subject else ''}: {r.reason or f'saw {r.actual!r}'}"
            for r in self.record.counted
            if r.outcome in ("fail", "error")
        ]

    def __str__(self) -> str:
        return "\n".join(self.lines)

    __repr__ = __str__


@dataclass(slots=True)
class RunningLog:
    """
    The events of a run that goes on, as far as they decide about one phase; what was read once is not read again.

    Each is read strictly, but whether one follows the other is left to sealing and to `verify`, which read all.
    """

    folder: Path
    phase: str
    entries: list[Entry] = field(default_factory=list)
    read: int = 0
    judged: Verdict | None = None

    def verdict(self) -> Verdict:
        """
        Judge the phase from the events stored so far. Read-only.
        """
        path = self.folder / "events.jsonl"
        with path.open("rb") as file:
            file.seek(self.read)
            *lines, tail = file.read().split(b"\n")
            self.read = file.tell() - len(tail)
        own = f'"phase":"{self.phase}"'.encode()
        for line in lines:
            self.judged = None
            if own in line or not any(word in line for word in _OF_SOME_PHASE):
                self.entries.append(stored_entry(line, source=str(path)))
        self.judged = self.judged or Verdict(phase_verdict(self.entries, self.phase))
        return self.judged
