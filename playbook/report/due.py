"""
Owns when the next drill is due: weekly any, monthly a `standard`, quarterly a `quarterly` run. Pure, clock given.
"""

from __future__ import annotations

import calendar
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from playbook.report.held import Held
from playbook.target.scenario import includes

__all__ = ["CADENCES", "Cadence", "Due", "Rules", "due_of", "why_not"]

Cadence = Literal["weekly", "monthly", "quarterly"]
CADENCES: dict[Cadence, str] = {"weekly": "quick", "monthly": "standard", "quarterly": "quarterly"}
"""Each with the least profile that serves it (REQUIREMENTS BK-5)."""

_MONTHS: dict[Cadence, int] = {"monthly": 1, "quarterly": 3}


@dataclass(frozen=True, slots=True)
class Rules:
    """
    What counts for a scenario. `phases` are all of its phases, which a monthly or quarterly run must have had.
    """

    scenario: str
    phases: Collection[str] = ()
    signatures: int = 0


@dataclass(frozen=True, slots=True)
class Due:
    """
    One obligation: the last run that met it, null when none ever did, and when the next one has to be there.
    """

    scenario: str
    cadence: Cadence
    last: Held | None
    due: datetime
    overdue: bool
    ignored: tuple[tuple[str, str], ...]


def due_of(runs: Sequence[Held], rules: Rules, *, now: datetime) -> tuple[Due, ...]:
    """
    Say for each cadence when the next run is due. Read-only.

    `ignored` names runs after the last one that counted, with the reason why they do not. A scenario that never ran
    is overdue at once.
    """
    ours = sorted((run for run in runs if run.scenario == rules.scenario), key=lambda run: run.started)
    found = []
    for cadence in CADENCES:
        judged = [(run, why_not(run, cadence, rules, now=now)) for run in ours]
        last = next((run for run, reason in reversed(judged) if reason is None), None)
        due = _next(last.started, cadence) if last else now
        later = [(run.run_id, why) for run, why in judged if why and (last is None or run.started > last.started)]
        found.append(Due(rules.scenario, cadence, last, due, last is None or now > due, tuple(later)))
    return tuple(found)


def why_not(run: Held, cadence: Cadence, rules: Rules, *, now: datetime) -> str | None:  # noqa: PLR0911 (one line per reason)
    """
    Say why a run does not meet an obligation; None when it does. Read-only.

    A run that failed was held; one that is an error showed nothing.
    """
    if run.refused:
        return run.refused
    if run.started > now:
        return "it is of the future"
    if run.runner != "playbook":
        return f"it was run by hand ({run.runner})"
    if run.dirty:
        return "its sources or a notebook had uncommitted changes"
    if run.outcome not in ("pass", "fail"):
        return f"it showed nothing: {run.outcome}" + (f" ({run.code})" if run.code else "")
    if run.without:
        return f"hardenings were left out: {', '.join(run.without)}"
    if len(run.signers) < rules.signatures:
        return f"it has {len(run.signers)} of {rules.signatures} signers"
    needed = CADENCES[cadence]
    if not includes(run.profile, needed):
        return f"its profile is {run.profile}, not {needed}"
    missing = sorted(set(rules.phases) - set(run.phases)) if cadence != "weekly" else []
    return f"phases were left out: {', '.join(missing)}" if missing else None


def _next(held: datetime, cadence: Cadence) -> datetime:
    if cadence == "weekly":
        return held + timedelta(days=7)
    year, month = divmod(held.month - 1 + _MONTHS[cadence], 12)
    year, month = held.year + year, month + 1
    return held.replace(year=year, month=month, day=min(held.day, calendar.monthrange(year, month)[1]))
