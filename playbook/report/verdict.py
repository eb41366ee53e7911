"""
Owns the verdict in words: one line for a terminal, the facts behind it, and what the run does not show.
"""

from __future__ import annotations

from dataclasses import dataclass

from playbook.evidence.outcome import Outcome
from playbook.evidence.record import RunRecord
from playbook.figures.marks import MARKS
from playbook.report.kills import count_pairs, sabotage_rows
from playbook.report.wording import count_of, plain, spell_duration, spell_time

__all__ = ["Verdict", "verdict_of"]

_SHORT = 10


@dataclass(frozen=True, slots=True)
class Verdict:
    """
    How a run ended. `facts` are label and value; `gaps` are what it does not show, `cautions` what weakens it.

    `missing` counts, in few words, what was not tried and not covered.
    """

    outcome: Outcome
    facts: tuple[tuple[str, str], ...]
    gaps: tuple[str, ...]
    cautions: tuple[str, ...]
    missing: tuple[str, ...] = ()

    @property
    def word(self) -> str:
        """
        Glyph and word, in capitals.
        """
        mark = MARKS[self.outcome]
        return f"{mark.glyph} {mark.word.upper()}"

    @property
    def headline(self) -> str:
        """
        The first line of a report: outcome, source, stack, profile, and what was not tried.
        """
        told = [self.word, *(self.fact(name) for name in ("source", "stack", "profile"))]
        return " · ".join([*told, ", ".join(self.missing)] if self.missing else told)

    def fact(self, name: str) -> str:
        """
        One of the facts, by its label.
        """
        return dict(self.facts)[name]

    @property
    def line(self) -> str:
        """
        Everything that decides and everything that is missing, in one line.
        """
        told = [self.word, *(value for _, value in self.facts), *self.cautions]
        return " · ".join(told)


def verdict_of(record: RunRecord) -> Verdict:
    """
    Say how a run ended, on what, and what it leaves open. Read-only.
    """
    counted = [result for phase in record.phases for result in phase.counted]
    checks = {result.id for result in counted}
    tried, every = count_pairs(sabotage_rows(record.kill_matrix))
    facts = [
        ("scenario", plain(record.scenario)),
        ("stack", f"stack {record.backend}" if record.backend else "no stack"),
        ("profile", f"profile {record.profile}" if record.profile else "no profile"),
        ("source", _source(record)),
        ("started", spell_time(record.started)),
        ("duration", _duration(record)),
        ("runner", f"run by {record.runner}"),
        ("checks", f"{count_of(len(checks), 'check')}, {count_of(len(counted), 'result')} that count"),
        ("sabotages", f"{tried} of {count_of(every, 'sabotage')} tried"),
    ]
    left_out = every - tried
    missing = [f"{left_out} not tried"] if left_out else []
    missing += [f"{len(record.not_covered)} not covered"] if record.not_covered else []
    return Verdict(record.outcome, tuple(facts), _gaps(record, left_out), _cautions(record), tuple(missing))


def _source(record: RunRecord) -> str:
    fingerprint = record.fingerprint
    if fingerprint.commit is None:
        return f"no commit, sources {fingerprint.sources_sha256[:_SHORT]}"
    flag = {True: " + uncommitted changes", False: ", clean", None: ", cleanness unknown"}[fingerprint.dirty]
    return f"commit {fingerprint.commit[:_SHORT]}{flag}"


def _duration(record: RunRecord) -> str:
    if record.ended is None:
        return "not closed"
    return spell_duration((record.ended - record.started).total_seconds())


def _gaps(record: RunRecord, left_out: int) -> tuple[str, ...]:
    gaps = []
    if left_out:
        gaps.append(f"not tried in this profile: {count_of(left_out, 'sabotage')}")
    counted = [result for phase in record.phases for result in phase.counted]
    cited = {r.id for r in counted if r.control is not None and r.control.status == "reference"}
    unseen = {r.id for r in counted if r.control is None or r.control.status == "not_tried"}
    unseen -= {r.id for r in counted if r.control is not None and r.control.status == "killed"}
    if unseen:
        gaps.append(f"not seen to fail in this run: {count_of(len(unseen), 'check')}: {', '.join(sorted(unseen))}")
    if cited:
        gaps.append(f"seen to fail on the reference service only: {count_of(len(cited), 'check')}")
    for outcome, words in (("skip", "skipped"), ("waived", "waived")):
        names = sorted({result.id for result in counted if result.outcome == outcome})
        if names:
            gaps.append(f"{words}, in whole or in part: {count_of(len(names), 'check')}: {', '.join(names)}")
    partial = sorted({result.id for result in counted if result.strength == "partial"})
    if partial:
        gaps.append(f"of partial strength: {count_of(len(partial), 'check')}: {', '.join(partial)}")
    gaps += [
        f"phase {phase.id} did not run: {plain(phase.reason or '')}"
        for phase in record.phases
        if phase.outcome == "skip"
    ]
    if record.not_covered:
        names = sorted(record.not_covered, key=_numbered)
        gaps.append(f"not covered: {count_of(len(names), 'requirement')}: {', '.join(names)}")
    return tuple(gaps)


def _numbered(requirement: str) -> tuple[str, int]:
    family, _, number = requirement.partition("-")
    return family, int(number) if number.isdecimal() else 0


def _cautions(record: RunRecord) -> tuple[str, ...]:
    cautions = []
    if record.code is not None:
        cautions.append(f"code {record.code}")
    edited = [phase.notebook for phase in record.phases if phase.edited]
    if edited:
        cautions.append(f"edited notebooks: {', '.join(edited)}")
    without = record.parameters.get("without")
    if isinstance(without, list) and without:
        cautions.append(f"left out as asked: {', '.join(plain(str(name)) for name in without)}")
    if record.leftovers:
        cautions.append(f"{len(record.leftovers)} left behind")
    return tuple(cautions)
