"""
Owns the kill matrix: what each sabotage did to each check that it names, and to those that it does not.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Literal

from playbook.evidence.events import KillTried
from playbook.evidence.result import CheckResult
from playbook.proof.check import Check
from playbook.proof.sabotage import Sabotage

__all__ = ["KillEntry", "entries", "not_tried", "spell_red", "void"]

_SHOWN = 2
_LONGEST_SEEN = 100


@dataclass(frozen=True, slots=True)
class KillEntry:
    """
    One cell of the matrix.

    `declared` is false for a check that turned red without being named: collateral that nobody answers for.
    """

    sabotage: str
    protection: str
    mechanism: str
    check: str
    subject: str | None
    result: Literal["killed", "survived", "void", "not_tried"]
    reason: str | None = None
    declared: bool = True
    harmless: bool = False

    def event(self, phase: str) -> KillTried:
        """
        Spell the entry as evidence of a phase.
        """
        return KillTried(phase=phase, **asdict(self))


def entries(sabotage: Sabotage, results: Iterable[CheckResult]) -> list[KillEntry]:
    """
    Compare what turned red with what was named by hand. Read-only.

    A named check that could not be decided makes its entry void: an error is no kill. A check that was skipped
    survived: it saw nothing.
    """
    seen = {(r.id, r.subject): r for r in results}
    found = []
    for name, subject in _named(sabotage):
        result = seen.pop((name, subject), None)
        if result is None:
            found.append(_entry(sabotage, name, subject, "survived", "the check reported no such subject"))
        elif result.outcome == "fail":
            found.append(_entry(sabotage, name, subject, "killed"))
        elif result.outcome == "error":
            found.append(_entry(sabotage, name, subject, "void", f"could not be decided: {result.reason}"))
        else:
            found.append(_entry(sabotage, name, subject, "survived", f"the check said {result.outcome}"))
    for (name, subject), result in seen.items():
        if result.outcome == "fail":
            found.append(_entry(sabotage, name, subject, "killed", "turned red without being named", declared=False))
        elif result.outcome == "error":
            reason = f"could not be decided: {result.reason}"
            found.append(_entry(sabotage, name, subject, "void", reason, declared=False))
    if sabotage.harmless and not found:
        found.append(_entry(sabotage, "*", None, "survived", "every check survived, as it must"))
    return found


def void(sabotage: Sabotage, reason: str) -> list[KillEntry]:
    """
    Say that a sabotage proved nothing.
    """
    named = _named(sabotage) or [("*", None)]
    return [_entry(sabotage, name, subject, "void", reason) for name, subject in named]


def spell_red(results: Iterable[CheckResult]) -> str | None:
    """
    Say in a few words what is red: this becomes the reason of every entry of a phase. None when nothing is.
    """
    red = [r for r in results if r.outcome in ("fail", "error")]
    if not red:
        return None
    words = [f"{r.id}[{r.subject or '-'}] {r.outcome}: {_cut(str(r.reason or r.actual))}" for r in red[:_SHOWN]]
    if len(red) > _SHOWN:
        words.append(f"and {len(red) - _SHOWN} more")
    return f"{len(red)} red: {'; '.join(words)}"


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST_SEEN else f"{text[:_LONGEST_SEEN]}…"


def not_tried(sabotage: Sabotage, reason: str) -> list[KillEntry]:
    """
    Say that a sabotage was left out.
    """
    named = _named(sabotage) or [("*", None)]
    return [_entry(sabotage, name, subject, "not_tried", reason) for name, subject in named]


def untested(checks: Sequence[Check], found: Iterable[KillEntry]) -> list[str]:
    """
    Name the checks that no sabotage killed.
    """
    killed = {entry.check for entry in found if entry.result == "killed" and entry.declared}
    return [one.id for one in checks if one.id not in killed]


def _named(sabotage: Sabotage) -> list[tuple[str, str | None]]:
    return [(name, subject) for name, subjects in sabotage.kills.items() for subject in (subjects or (None,))]


def _entry(
    sabotage: Sabotage,
    name: str,
    subject: str | None,
    result: Literal["killed", "survived", "void", "not_tried"],
    reason: str | None = None,
    *,
    declared: bool = True,
) -> KillEntry:
    return KillEntry(
        sabotage=sabotage.name,
        protection=sabotage.protection,
        mechanism=sabotage.mechanism,
        check=name,
        subject=subject,
        result=result,
        reason=reason,
        declared=declared,
        harmless=sabotage.harmless,
    )
