"""
Owns a comparison of two runs in words: the verdict first, then what decides, then what only tells.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from playbook.evidence.record import PhaseRecord
from playbook.figures.marks import MARKS
from playbook.report.compare import Change, Comparison
from playbook.report.figures_changed import Drift, Slower
from playbook.report.versions_changed import Difference
from playbook.report.wording import count_of, plain, spell_duration

__all__ = ["backend_lines", "comparison_lines"]

_SHOWN = 20


def comparison_lines(found: Comparison) -> Iterator[str]:
    """
    Say what changed, line by line.
    """
    yield _verdict(found)
    for run, phases in ((found.before, found.only_before), (found.after, found.only_after)):
        if phases:
            yield f"  not compared, only {run.run_id} holds it: {_phases(phases)}"
    if found.looks_like:
        yield f"  the new fails are exactly what turns red under {' or '.join(found.looks_like)}"
    for title, changes in (
        ("fails now", found.new_fails),
        ("not answered any more", found.lost),
        ("waived now", found.waived),
        ("not asked any more", found.vanished),
        ("mended", found.mended),
        ("asked for the first time", found.appeared),
    ):
        yield from _section(title, [_change(one) for one in changes])
    yield from _section("why it ended otherwise", [_first_line(text) for text in found.problems])
    controls = [f"{k.sabotage} on {_of(k.check, k.subject)}: {k.before or 'new'} → {k.after}" for k in found.controls]
    yield from _section("sabotages", controls)
    yield from _section("slower than the noise of repeats", [_slower(one) for one in found.slower])
    yield from _section("figures", [_drift(one) for one in found.drift])
    yield from _section("asked for differently", [_difference(one) for one in found.conditions])
    yield from _section("other versions", [_difference(one) for one in found.versions])


def backend_lines(found: Comparison, strange: Sequence[Change]) -> Iterator[str]:
    """
    Say which outcomes differ between two backends and should not; nothing for runs on the same one.
    """
    backends = (found.before.backend, found.after.backend)
    if None in backends or backends[0] == backends[1]:
        return
    yield from _section(f"differs between {backends[0]} and {backends[1]}, unlisted", [_change(one) for one in strange])
    if found.compared and not strange:
        yield f"  {backends[0]} and {backends[1]}: no outcome differs but what data/backends.yaml lists"


def _verdict(found: Comparison) -> str:
    word = {"fail": "REGRESSION", "pass": "NO REGRESSION", "error": "NOTHING COMPARED"}[found.outcome]
    counts = [
        (len(found.new_fails), "new fail"),
        (len(found.lost), "lost"),
        (len(found.vanished), "vanished"),
        (len(found.mended), "mended"),
        (len(found.appeared), "new"),
    ]
    told = [count_of(n, what) if what == "new fail" else f"{n} {what}" for n, what in counts if n]
    if found.ended_worse:
        told.insert(0, f"it ended {found.after.outcome}, before {found.before.outcome}")
    if not found.compared:
        told.append("no phase that both hold")
    words = ", ".join(told) or "every outcome is as it was"
    return f"{MARKS[found.outcome].glyph} {word} · {found.before.run_id} → {found.after.run_id}: {words}"


def _phases(phases: Sequence[PhaseRecord]) -> str:
    return ", ".join(f"phase {one.id} ({one.outcome}, {count_of(len(one.counted), 'result')})" for one in phases)


def _section(title: str, lines: Sequence[str]) -> Iterable[str]:
    if not lines:
        return
    yield f"{title}:"
    yield from (f"  {line}" for line in lines[:_SHOWN])
    if len(lines) > _SHOWN:
        yield f"  … and {len(lines) - _SHOWN} more (--json has all)"


def _change(one: Change) -> str:
    words = f"{one.before or 'not asked'} → {one.after or 'not asked'}"
    return f"{_of(one.check, one.subject)}: {words}" + (f": {_first_line(one.reason)}" if one.reason else "")


def _first_line(text: str) -> str:
    first, *more = plain(text).splitlines() or [""]
    return f"{first} …" if more else first


def _of(check: str, subject: str | None) -> str:
    return f"{check} [{plain(subject)}]" if subject else check


def _slower(one: Slower) -> str:
    return f"{one.check}: {spell_duration(one.before_s)} (middle of {one.repeats}) → {spell_duration(one.after_s)}"


def _drift(one: Drift) -> str:
    noise = {True: "beyond the noise", False: "within the noise", None: "too few repeats to tell noise"}
    unit = f" {one.unit}" if one.unit else ""
    way = "worse" if one.worse else "better"
    told = noise[one.beyond_noise]
    return f"{_of(one.check, one.subject)}: {one.before:g} → {one.after:g}{unit}, {way}, {told} (limit {one.limit})"


def _difference(one: Difference) -> str:
    return f"{one.what}: {plain(one.before or 'none')} → {plain(one.after or 'none')}"
