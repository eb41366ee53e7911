"""
Owns what changed from one run to another: outcomes, controls, times, figures, versions. Pure; it reads records only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from playbook.evidence.outcome import Outcome
from playbook.evidence.record import KillRow, PhaseRecord, RunRecord
from playbook.evidence.result import CheckResult
from playbook.report.figures_changed import Drift, Slower, drift_of, slower_of
from playbook.report.versions_changed import Difference, conditions_of, versions_of
from playbook.report.wording import spell_value

__all__ = ["Change", "Comparison", "KillChange", "compare_runs"]

_SEVERITY: dict[Outcome, int] = {"pass": 0, "error": 1, "fail": 2}
_Key = tuple[str, str | None]


@dataclass(frozen=True, slots=True)
class Change:
    """
    One result that is not as it was; null where the run did not have it. `worse` makes it a regression.
    """

    phase: str
    check: str
    subject: str | None
    before: Outcome | None
    after: Outcome | None
    reason: str | None
    worse: bool


@dataclass(frozen=True, slots=True)
class KillChange:
    """
    A control that is not as it was.
    """

    sabotage: str
    check: str
    subject: str | None
    before: str | None
    after: str | None
    worse: bool


@dataclass(frozen=True, slots=True)
class Comparison:
    """
    Everything that changed in the phases that both runs hold (`compared`); of the others only which they are is told.

    `looks_like` names sabotages that must turn exactly the newly failing checks red.
    """

    before: RunRecord
    after: RunRecord
    compared: tuple[str, ...]
    only_before: tuple[PhaseRecord, ...]
    only_after: tuple[PhaseRecord, ...]
    new_fails: tuple[Change, ...]
    lost: tuple[Change, ...]
    mended: tuple[Change, ...]
    waived: tuple[Change, ...]
    vanished: tuple[Change, ...]
    appeared: tuple[Change, ...]
    controls: tuple[KillChange, ...]
    problems: tuple[str, ...]
    slower: tuple[Slower, ...]
    drift: tuple[Drift, ...]
    versions: tuple[Difference, ...]
    conditions: tuple[Difference, ...]
    looks_like: tuple[str, ...]

    @property
    def regression(self) -> bool:
        """
        Whether the later run shows less than the earlier: something fails, is not answered or not controlled any more.
        """
        changes: tuple[Change | KillChange, ...] = (*self.new_fails, *self.lost, *self.vanished, *self.controls)
        return self.ended_worse or any(change.worse for change in changes)

    @property
    def outcome(self) -> Outcome:
        """
        Fail on regression; else pass, or error where there was nothing to compare.
        """
        return "fail" if self.regression else "pass" if self.compared else "error"

    @property
    def ended_worse(self) -> bool:
        """
        Whether the later run as a whole ended worse, be it in a phase that the earlier one does not hold.
        """
        return _SEVERITY.get(self.after.outcome, 1) > _SEVERITY.get(self.before.outcome, 1)


def compare_runs(before: RunRecord, after: RunRecord, *, repeats: Sequence[RunRecord] = ()) -> Comparison:
    """
    Compare two runs; `repeats` are earlier runs alike, from which the noise of times and figures is told. Read-only.
    """
    old, new = _ran(before), _ran(after)
    compared = sorted({*old} & {*new})
    changes = list(_changes([old[one] for one in compared], [new[one] for one in compared]))
    known = {(p.code, p.phase, p.check, p.subject, p.message) for p in before.problems}
    new_fails = _those(changes, lambda one: one.after == "fail" and (one.before is not None or one.worse))
    return Comparison(
        before=before,
        after=after,
        compared=tuple(compared),
        only_before=tuple(phase for name, phase in old.items() if name not in new),
        only_after=tuple(phase for name, phase in new.items() if name not in old),
        new_fails=new_fails,
        lost=_those(changes, lambda one: one.before is not None and one.after in ("error", "skip")),
        mended=_those(changes, lambda one: one.before is not None and one.after == "pass"),
        waived=_those(changes, lambda one: one.before is not None and one.after == "waived"),
        vanished=_those(changes, lambda one: one.after is None),
        appeared=_those(changes, lambda one: one.before is None),
        controls=tuple(_kills(*([row for row in run.kill_matrix if row.phase in compared] for run in (before, after)))),
        problems=tuple(
            p.message for p in after.problems if (p.code, p.phase, p.check, p.subject, p.message) not in known
        ),
        slower=slower_of(before, after, repeats),
        drift=drift_of(before, after, repeats),
        versions=versions_of(before.fingerprint, after.fingerprint),
        conditions=conditions_of(before, after),
        looks_like=_looks_like(new_fails, (*before.kill_matrix, *after.kill_matrix)),
    )


def _changes(before: Sequence[PhaseRecord], after: Sequence[PhaseRecord]) -> Iterable[Change]:
    old, new = _counted(before), _counted(after)
    still_asked = {check for check, _ in new}
    for key in sorted({*old, *new}, key=lambda one: (one[0], one[1] or "")):
        was, is_ = old.get(key), new.get(key)
        if was and is_ and was.outcome == is_.outcome:
            continue
        if is_ is None:
            assert was is not None
            yield _change(was, was.outcome, None, None, worse=key[0] not in still_asked)
        elif was is None:
            yield _change(is_, None, is_.outcome, is_.reason, worse=is_.outcome == "fail")
        else:
            held = was.outcome in ("pass", "waived")
            worse = is_.outcome == "fail" or (held and is_.outcome in ("error", "skip"))
            yield _change(is_, was.outcome, is_.outcome, is_.reason or _seen(is_), worse=worse)


def _change(
    result: CheckResult, before: Outcome | None, after: Outcome | None, reason: str | None, *, worse: bool
) -> Change:
    return Change(result.phase, result.id, result.subject, before, after, reason, worse)


def _seen(result: CheckResult) -> str | None:
    if result.outcome != "fail":
        return None
    return f"expected {result.operator} {spell_value(result.expected)}, saw {spell_value(result.actual)}"


def _ran(record: RunRecord) -> Mapping[str, PhaseRecord]:
    return {phase.id: phase for phase in record.phases if phase.outcome != "skip"}


def _counted(phases: Sequence[PhaseRecord]) -> dict[_Key, CheckResult]:
    return {(result.id, result.subject): result for phase in phases for result in phase.counted}


def _kills(before: Sequence[KillRow], after: Sequence[KillRow]) -> Iterable[KillChange]:
    old, new = ({(row.sabotage, row.check, row.subject): row for row in rows} for rows in (before, after))
    for key in sorted({*old, *new}, key=lambda one: (one[0], one[1], one[2] or "")):
        was, is_ = (rows[key].result if key in rows else None for rows in (old, new))
        if was != is_ and not (key in old and key not in new):
            yield KillChange(*key, was, is_, worse=was == "killed" and is_ in ("survived", "void"))


def _looks_like(fails: Sequence[Change], rows: Sequence[KillRow]) -> tuple[str, ...]:
    red = {change.check for change in fails}
    kills: dict[str, set[str]] = {}
    for row in rows:
        if row.result in ("killed", "not_tried") and row.declared and not row.harmless:
            kills.setdefault(row.sabotage, set()).add(row.check)
    return tuple(sorted(name for name, checks in kills.items() if checks == red))


def _those(changes: Sequence[Change], wanted: Callable[[Change], bool]) -> tuple[Change, ...]:
    return tuple(change for change in changes if wanted(change))
