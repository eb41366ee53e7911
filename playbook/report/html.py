"""
Owns report.html: one file that loads nothing and runs nothing, on a screen, in the dark and on A4.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from playbook.evidence.run import Run
from playbook.figures.marks import MARKS
from playbook.proof.check import Check
from playbook.report.page import SUBJECT_LIMIT, page_of, spell_seen
from playbook.report.requirements import Mappings
from playbook.report.wording import plain, spell_duration, spell_time, spell_value

__all__ = ["POLICY", "render_html"]

POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"


def render_html(run: Run, *, checks: Sequence[Check] = (), mappings: Mappings | None = None) -> bytes:
    """
    Write the report of a run. Read-only; the same run gives the same bytes.

    Everything that stands in the evidence is escaped: it holds what the service under test answered.
    """
    page = page_of(run, checks=checks, mappings=mappings)
    text = _template().render(page=page, marks=MARKS, policy=POLICY, subject_limit=SUBJECT_LIMIT)
    return text.encode()


@cache
def _template() -> Template:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "plain": plain,
        "duration": spell_duration,
        "time": spell_time,
        "value": spell_value,
        "seen": spell_seen,
    }
    return environment.get_template("report.html.j2")
