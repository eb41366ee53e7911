"""
Owns how notebook 90 shows a run: the report's page, section by section, as notebook outputs.
"""

from __future__ import annotations

from dataclasses import dataclass

from playbook.figures.marks import MARKS, Cell, Kind
from playbook.notebook.card import Card, VerdictView
from playbook.notebook.figure_view import FigureView
from playbook.notebook.results import results_table
from playbook.notebook.table import Table
from playbook.notebook.theme import safe
from playbook.report.pictures import Picture
from playbook.report.wording import count_of
from playbook.run.review import Review

__all__ = ["controls", "gaps", "glance", "headline", "pictures", "requirements", "troubles", "verify"]

_IMAGE = "background:#fff;max-width:100%;width:768px;height:auto;display:block"


@dataclass(frozen=True, slots=True, repr=False)
class Pictures:
    """
    One or two pictures of each phase, with their words.
    """

    shown: tuple[tuple[str, Picture], ...]

    def _repr_html_(self) -> str:
        return "".join(
            f'<figure style="margin:.6rem 0"><img src="{safe(one.uri)}" alt="{safe(one.alt)}" style="{_IMAGE}">'
            f"<figcaption>{safe(title)}: {safe(one.caption)}</figcaption></figure>"
            for title, one in self.shown
        )

    def __repr__(self) -> str:
        return "\n".join(f"{title}: {one.alt}" for title, one in self.shown)


def headline(review: Review) -> VerdictView:
    """
    Show the verdict's line and the facts behind it.
    """
    verdict = review.page.verdict
    facts = [verdict.fact(name) for name in ("started", "duration", "runner", "checks", "sabotages")]
    line = verdict.headline.removeprefix(verdict.word).strip(" ·")
    return VerdictView(verdict.outcome, line, [" · ".join(facts), *verdict.cautions])


def gaps(review: Review) -> Card:
    """
    Show what the run does not show, in red.
    """
    missing = [*review.page.verdict.gaps, *(problem.message for problem in review.page.problems)]
    if not missing:
        return Card("○ What this run does not show", ["every check answered, every sabotage was tried"])
    return Card("○ What this run does not show", missing, kind="fail")


def glance(review: Review) -> FigureView | Card:
    """
    Show checks and sabotages by outcome.
    """
    figure = review.page.glance
    return FigureView(figure) if figure else Card("The run at a glance", ["nothing ran"])


def pictures(review: Review) -> Pictures:
    """
    Show what each phase's notebook drew.
    """
    return Pictures(tuple((f"Phase {p.id} · {p.title}", one) for p in review.page.phases for one in p.pictures))


def troubles(review: Review) -> Table:
    """
    Show what counts and did not pass.
    """
    return results_table([trouble.result for trouble in review.page.troubles])


def requirements(review: Review) -> Table:
    """
    Show each requirement that has checks, and what they said.
    """
    rows = [
        (
            row.id,
            row.title,
            _cell(row.outcome, row.partly or (row.why_not or "")),
            "\n".join(name for name, _ in row.checks),
        )
        for row in review.page.requirements
        if row.checks
    ]
    without = sum(not row.checks for row in review.page.requirements)
    return Table(
        ("id", "requirement", "outcome", "checks"),
        rows,
        caption=f"{count_of(without, 'requirement')} without any check",
    )


def controls(review: Review) -> Table:
    """
    Show the controls of standards, how strongly they are answered, and why not more.
    """
    rows = [
        (
            f"{row.standard}\n{row.control} {row.title}",
            ", ".join(row.requirements),
            _cell(row.outcome, ""),
            row.strength if row.outcome else "-",
            "; ".join(row.why),
        )
        for row in review.page.controls
    ]
    return Table(("control", "through", "outcome", "strength", "why not more"), rows)


def verify(review: Review) -> Card:
    """
    Show how anybody checks the run and holds it again.
    """
    name = review.run.record.run_id
    return Card(
        "Verify it, run it again", [f"playbook verify {name}", review.page.rerun, f"playbook compare {name} latest"]
    )


def _cell(outcome: str | None, words: str) -> Cell:
    kind: Kind = "not_tried" if outcome is None else outcome  # type: ignore[assignment]
    said = MARKS[kind].word if outcome else "not covered"
    return Cell(kind, f"{said}, {words}" if words else said)
