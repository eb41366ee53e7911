"""
Owns what phase 70 shows: the fault table, what was compared, and the timeline's data. It displays nothing.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from playbook.evidence.result import CheckResult
from playbook.proof.matrix import KillEntry
from playbook.recovery.findings import NAIVE
from playbook.recovery.sabotages import SABOTAGES

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["RecoveredWay", "RecoveryPart", "equality_table", "fault_table", "recovered_ways"]

_FAULTS = ("fault", "naive checks", "all naive well", "our checks that caught it")
_WORDS = 120
_EQUALITY = ("aspect", "way", "compared", "differences")


@dataclass(frozen=True, slots=True)
class RecoveryPart:
    """
    One part of a recovery: its name, seconds, and the bytes that it moved where that is known.
    """

    name: str
    took_s: float
    bytes: int | None


@dataclass(frozen=True, slots=True)
class RecoveredWay:
    """
    One way of restoring in one state: seconds of writes lost (None: nothing came back), its parts, how it failed.
    """

    state: str
    way: str
    lost_s: float | None
    parts: tuple[RecoveryPart, ...]
    failed: str | None


def fault_table(results: Iterable[CheckResult], matrix: Iterable[KillEntry]) -> pd.DataFrame:
    """
    Show each fault, what the naive checks said of it, and which of our checks turned red. Read-only.
    """
    said: dict[str, dict[str, str]] = {}
    for result in results:
        name = result.state.partition(":")[2]
        for one in result.observations:
            if name and one.role == NAIVE and one.request is not None:
                said.setdefault(name, {})[one.request] = str(one.value)
    entries = list(matrix)
    rows = []
    for sabotage in SABOTAGES:
        if sabotage.harmless:
            continue
        own = [one for one in entries if one.sabotage == sabotage.name]
        caught = sorted({one.check for one in own if one.result == "killed"})
        naive = said.get(sabotage.name, {})
        rows.append(
            (
                sabotage.title,
                "; ".join(f"{name}: {value}" for name, value in naive.items()) or "not tried",
                "not tried" if not naive else "yes" if set(naive.values()) == {"well"} else "no",
                ", ".join(caught) or "; ".join(sorted({one.reason or one.result for one in own})) or "not tried",
            )
        )
    return _frame(rows, _FAULTS)


def equality_table(results: Iterable[CheckResult]) -> pd.DataFrame:
    """
    Show what each aspect compared, and how many differences there were, by way. Read-only.
    """
    rows: list[tuple[str, str, str, str]] = []
    for one in results:
        if one.family != "restore" or not isinstance(one.actual, list) or not one.observations:
            continue
        rows.append((one.title, one.subject or "", str(one.observations[0].value), str(len(one.actual))))
    return _frame(rows, _EQUALITY)


def _frame(rows: Sequence[Sequence[str]], columns: Sequence[str]) -> pd.DataFrame:
    import pandas as pd  # noqa: PLC0415 (every kernel and command imports this module, and few show a table of it)

    return pd.DataFrame(rows, columns=list(columns))


def recovered_ways(results: Iterable[CheckResult]) -> Sequence[RecoveredWay]:
    """
    Read the parts of each way's recovery from the stored results, by state and way. Read-only.
    """
    everything = list(results)
    lost = {
        (one.state, _way(seen.request)): seen.value
        for one in everything
        if one.id == "restore.rpo.met"
        for seen in one.observations
        if _way(seen.request)
    }
    ways = []
    for one in everything:
        if one.id != "restore.rto.met" or one.state.startswith("sabotaged") or not one.observations:
            continue
        moved = {str(o.request).partition(":")[0]: o.value for o in one.observations if o.unit == "bytes"}
        parts = tuple(
            RecoveryPart(str(o.request), float(str(o.value)), _bytes(moved.get(str(o.request))))
            for o in one.observations
            if o.unit == "s"
        )
        gone = lost.get((one.state, one.subject or ""))
        failed = _shortened(one.actual) if isinstance(one.actual, str) else None
        ways.append(
            RecoveredWay(one.state, one.subject or "", None if gone is None else float(str(gone)), parts, failed)
        )
    return ways


def _shortened(failure: str) -> str:
    """
    Keep of a failure what a picture can say: not the answer that a service gave with it.
    """
    return textwrap.shorten(failure.partition("{")[0].rstrip(" :"), _WORDS, placeholder=" …")


def _way(request: str | None) -> str:
    found = re.match(r"lost by the (\w+) way", request or "")
    return found[1] if found else ""


def _bytes(value: object) -> int | None:
    return None if value is None else int(str(value))
