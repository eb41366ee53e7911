"""
Owns what the kill matrix adds up to: per check, and for the run (distinct pairs, inverted controls).

A fault is counted once per protection and mechanism, however many tables it was tried on (DESIGN §9.4).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from playbook.figures.marks import Kind

__all__ = ["KillLike", "SabotageRow", "Trials", "count_pairs", "pair_kinds", "sabotage_rows", "trials_of"]

KillResult = Literal["killed", "survived", "void", "not_tried"]
Pair = tuple[str, str]
_KINDS: Mapping[KillResult, Kind] = {
    "killed": "caught",
    "survived": "survived",
    "void": "void",
    "not_tried": "not_tried",
}
_WORST: tuple[Kind, ...] = ("void", "survived", "caught", "not_tried")


class KillLike(Protocol):
    """
    One entry of a kill matrix, as a trial makes it or as evidence stores it.
    """

    @property
    def sabotage(self) -> str: ...
    @property
    def protection(self) -> str: ...
    @property
    def mechanism(self) -> str: ...
    @property
    def check(self) -> str: ...
    @property
    def subject(self) -> str | None: ...
    @property
    def result(self) -> KillResult: ...
    @property
    def reason(self) -> str | None: ...
    @property
    def declared(self) -> bool: ...
    @property
    def harmless(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Trials:
    """
    What sabotages did to one check: per pair the worst, per subject who turned it red, and what was not to.
    """

    pairs: Mapping[Pair, Kind] = field(default_factory=dict)
    killed_by: Mapping[str | None, tuple[str, ...]] = field(default_factory=dict)
    false_alarms: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SabotageRow:
    """
    One sabotage: the worst that it did, and each of its entries.
    """

    name: str
    protection: str
    mechanism: str
    harmless: bool
    kind: Kind
    entries: tuple[KillLike, ...]

    @property
    def checks(self) -> tuple[tuple[str, tuple[KillLike, ...]], ...]:
        """
        Its entries by check.
        """
        by_check: dict[str, list[KillLike]] = {}
        for entry in self.entries:
            by_check.setdefault(entry.check, []).append(entry)
        return tuple((check, tuple(found)) for check, found in by_check.items())

    @property
    def as_declared(self) -> bool:
        """
        True when it did what it must, and nothing more: a harmless one spared all, another turned red what it names.
        """
        if self.harmless:
            return all(entry.result == "survived" and entry.declared for entry in self.entries)
        return all(entry.result == "killed" and entry.declared for entry in self.entries)


def trials_of(kills: Iterable[KillLike]) -> Mapping[str, Trials]:
    """
    Group entries by check. Read-only. A harmless change counts for none; a check that it turned red is a false alarm.
    """
    by_check: dict[str, list[KillLike]] = {}
    for entry in kills:
        by_check.setdefault(entry.check, []).append(entry)
    return {check: _trials(entries) for check, entries in by_check.items()}


def _trials(entries: Sequence[KillLike]) -> Trials:
    pairs: dict[Pair, Kind] = {}
    killed_by: dict[str | None, list[str]] = {}
    alarms = []
    for entry in entries:
        if entry.harmless or not entry.declared:
            if entry.result in ("killed", "void"):
                alarms.append(entry.sabotage)
            continue
        pair = (entry.protection, entry.mechanism)
        kind = _KINDS[entry.result]
        pairs[pair] = min(pairs.get(pair, kind), kind, key=_WORST.index)
        if entry.result == "killed":
            killed_by.setdefault(entry.subject, []).append(entry.sabotage)
    return Trials(
        pairs=pairs,
        killed_by={subject: tuple(dict.fromkeys(names)) for subject, names in killed_by.items()},
        false_alarms=tuple(dict.fromkeys(alarms)),
    )


def sabotage_rows(kills: Iterable[KillLike]) -> tuple[SabotageRow, ...]:
    """
    Group entries by sabotage, as first reported. Read-only.
    """
    by_name: dict[str, list[KillLike]] = {}
    for entry in kills:
        by_name.setdefault(entry.sabotage, []).append(entry)
    return tuple(
        SabotageRow(
            name=name,
            protection=entries[0].protection,
            mechanism=entries[0].mechanism,
            harmless=entries[0].harmless,
            kind=min((_KINDS[entry.result] for entry in entries), key=_WORST.index),
            entries=tuple(entries),
        )
        for name, entries in by_name.items()
    )


def pair_kinds(rows: Iterable[SabotageRow]) -> Mapping[Pair, Kind]:
    """
    Say the worst that became of each distinct (protection, mechanism) pair. Inverted controls are no sabotages.
    """
    pairs: dict[Pair, Kind] = {}
    for row in rows:
        if not row.harmless:
            pair = (row.protection, row.mechanism)
            pairs[pair] = min(pairs.get(pair, row.kind), row.kind, key=_WORST.index)
    return pairs


def count_pairs(rows: Iterable[SabotageRow]) -> tuple[int, int]:
    """
    Count distinct (protection, mechanism) pairs: those tried, and all.
    """
    kinds = pair_kinds(rows)
    return sum(kind != "not_tried" for kind in kinds.values()), len(kinds)
